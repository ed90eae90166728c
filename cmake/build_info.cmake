# What `ordem version` prints about the build: the commit, the build type, the compiler, and the libraries that were found, with their versions.

set(ORDEM_COMMIT "" CACHE STRING "The commit that is built; empty: git is asked at each build")

# Prints "NAME VERSION, NAME VERSION" into a variable: of every package that find_package found with a version, and of the others by the file that
# the linker takes, libcaf_core.so.0.17.6 or libpqxx-6.4.so. Programs of the build and of the tests are left out, and what is only needed by a
# part of a library that is not linked.
function(ordem_found_libraries result)
  set(names)
  get_property(packages GLOBAL PROPERTY PACKAGES_FOUND)
  foreach(package IN LISTS packages)
    string(TOUPPER ${package} variable)
    if(package MATCHES "^(benchmark|Catch2|Git|PkgConfig|Python3?|civetweb|gflags)$|_")
      continue()
    elseif(${package}_VERSION)
      list(APPEND names "${package} ${${package}_VERSION}")
    elseif(${variable}_VERSION)
      list(APPEND names "${package} ${${variable}_VERSION}")
    endif()
  endforeach()
  get_property(files GLOBAL PROPERTY ordem_system_libraries)
  foreach(file IN LISTS files)
    file(REAL_PATH ${file} file)
    if(file MATCHES "/lib([A-Za-z_]+)(-([0-9][0-9.]*)[.]so|[.]so[.]([0-9][0-9.]*))$")
      list(APPEND names "${CMAKE_MATCH_1} ${CMAKE_MATCH_3}${CMAKE_MATCH_4}")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES names)
  list(SORT names CASE INSENSITIVE)
  list(JOIN names ", " text)
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

# ordem_add_build_info(TARGET): adds the source file with these facts. It is written anew only if they change.
function(ordem_add_build_info target)
  set(file ${CMAKE_CURRENT_BINARY_DIR}/build_info.cpp)
  ordem_found_libraries(libraries)
  add_custom_target(ordem_build_info
    COMMAND ${CMAKE_COMMAND} "-DSOURCE=${PROJECT_SOURCE_DIR}" "-DOUTPUT=${file}" "-DCOMMIT=${ORDEM_COMMIT}" "-DBUILD_TYPE=${CMAKE_BUILD_TYPE}"
      "-DCOMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}" "-DLIBRARIES=${libraries}" -P ${PROJECT_SOURCE_DIR}/cmake/write_build_info.cmake
    BYPRODUCTS ${file}
    COMMENT "Noting the commit"
    VERBATIM)
  target_sources(${target} PRIVATE ${file})
  set_source_files_properties(${file} PROPERTIES GENERATED ON SKIP_PRECOMPILE_HEADERS ON)
  add_dependencies(${target} ordem_build_info)
endfunction()
