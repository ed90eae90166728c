# ordem_embed(TARGET SYMBOL FILE): makes FILE part of TARGET as `extern const std::string_view ordem::embedded::SYMBOL`.
# The file is compiled in as one raw string literal; it is read again whenever it changes.
function(ordem_embed target symbol file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} content)
  ordem_embed_text(${target} ${symbol} "${content}")
endfunction()

# ordem_embed_as_json(TARGET SYMBOL FILE): the same for the YAML document FILE, as JSON.
function(ordem_embed_as_json target symbol file)
  set(converter ${PROJECT_SOURCE_DIR}/cmake/yaml_to_json.py)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file} ${converter})
  # The system's first: another one in the PATH may lack the module yaml.
  find_program(ORDEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH DOC "A Python 3 that has the module yaml")
  find_program(ORDEM_PYTHON python3 REQUIRED)
  execute_process(COMMAND ${ORDEM_PYTHON} ${converter} ${file} OUTPUT_VARIABLE content ERROR_VARIABLE error RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${file} could not be made JSON: ${error}")
  endif()
  ordem_embed_text(${target} ${symbol} "${content}")
endfunction()

# ordem_embed_text(TARGET SYMBOL TEXT): as ordem_embed, for a text.
function(ordem_embed_text target symbol content)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/embedded_${symbol}.cpp)
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT
"#include <string_view>
namespace ordem::embedded {
extern const std::string_view @symbol@;
const std::string_view @symbol@ = R\"ordem_embed(@content@)ordem_embed\";
}
")
  target_sources(${target} PRIVATE ${output})
  set_source_files_properties(${output} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()

# ordem_embed_migrations(TARGET SYMBOL FOLDER): makes the migrations of FOLDER part of TARGET, in their order, as
# `extern const std::span<const std::pair<std::string_view, std::string_view>> ordem::embedded::SYMBOL`: name without ending, and text.
# The folder is listed again by every build, and each file read again whenever it changes.
function(ordem_embed_migrations target symbol folder)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/embedded_${symbol}.cpp)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.sql)
  list(SORT files)
  set(entries "")
  set(count 0)
  foreach(file IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    math(EXPR count "${count} + 1")
    get_filename_component(name ${file} NAME_WE)
    string(REGEX MATCH "^[0-9][0-9][0-9][0-9]_[a-z0-9_]+$" well_named "${name}")
    string(SUBSTRING "${name}" 0 4 number)
    if(NOT well_named OR NOT number EQUAL count)
      message(FATAL_ERROR "${file}: migrations are named NNNN_what_it_makes.sql and numbered 0001, 0002, ... without gaps; "
        "this one should have number ${count}")
    endif()
    file(READ ${file} content)
    string(APPEND entries "    {\"${name}\", R\"ordem_embed(${content})ordem_embed\"},\n")
  endforeach()
  if(count EQUAL 0)
    message(FATAL_ERROR "there is no migration in ${folder}")
  endif()
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT
"#include <span>
#include <string_view>
#include <utility>
namespace ordem::embedded {
namespace {
constexpr std::pair<std::string_view, std::string_view> @symbol@_files[] = {
@entries@};
}  // namespace
extern const std::span<const std::pair<std::string_view, std::string_view>> @symbol@;
const std::span<const std::pair<std::string_view, std::string_view>> @symbol@{@symbol@_files};
}
")
  target_sources(${target} PRIVATE ${output})
endfunction()

# ordem_embed_console(TARGET FOLDER): makes the files of FOLDER part of TARGET as `ordem::embedded::console_files`, see
# http-edge/console/console_files.hpp. The folder is listed again by every build, and each file read again whenever it changes.
function(ordem_embed_console target folder)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/embedded_console.cpp)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.html ${folder}/*.css ${folder}/*.js ${folder}/*.svg)
  list(SORT files)
  set(entries "")
  foreach(file IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    get_filename_component(name ${file} NAME)
    file(READ ${file} content)
    file(SHA256 ${file} tag)
    string(SUBSTRING ${tag} 0 16 tag)
    string(APPEND entries "    {\"${name}\", \"${tag}\", R\"ordem_embed(${content})ordem_embed\"},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT
"#include \"http-edge/console/console_files.hpp\"
namespace ordem::embedded {
namespace {
constexpr console_file files[] = {
@entries@};
}  // namespace
const std::span<const console_file> console_files{files};
}
")
  target_sources(${target} PRIVATE ${output})
  set_source_files_properties(${output} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
