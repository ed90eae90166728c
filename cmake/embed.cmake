# ordem_embed(TARGET SYMBOL FILE): makes FILE part of TARGET as `extern const std::string_view ordem::embedded::SYMBOL`.
# The file is compiled in as one raw string literal; it is read again whenever it changes.
function(ordem_embed target symbol file)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/embedded_${symbol}.cpp)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} content)
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
