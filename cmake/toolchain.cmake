# What every target is compiled with: the standard, the warnings, the sanitizers, ccache and a quick linker where present.

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(ordem_options INTERFACE)
target_compile_features(ordem_options INTERFACE cxx_std_20)
target_compile_options(ordem_options INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror)
target_include_directories(ordem_options INTERFACE ${PROJECT_SOURCE_DIR})
if(CMAKE_UNITY_BUILD)
  # The files of a library are compiled some at a time: most of a compiler's work is to read the headers of libraries and to instantiate
  # their templates. A name of one file may be that of a local variable of another one, and GCC takes their types in anonymous namespaces for
  # those of a header.
  target_compile_options(ordem_options INTERFACE -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()

if(ORDEM_SANITIZE)
  # Globally, so that no object of a binary is without them.
  add_compile_options(-fsanitize=${ORDEM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ORDEM_SANITIZE})
  # A program at a fixed address needs none of the 400,000 relocations that the sanitizers' tables would cost each start.
  add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-no-pie>)
  if(ORDEM_SANITIZE MATCHES undefined)
    add_compile_options(-fsanitize-ignorelist=${PROJECT_SOURCE_DIR}/tests/ubsan.ignorelist)
  endif()
endif()

# Paths in messages and debug information begin at the root of the repository.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)

find_program(CCACHE ccache)
if(CCACHE)
  # A precompiled header changes its time stamp with every build; the sloppiness, and the option that follows, let ccache look at what it
  # holds instead. Every checkout shares the cache, wherever it is: also that of the image (scripts/build-image), which has no locale. With
  # CCACHE_DEPEND a file that is not in the cache is not preprocessed first; files that are compiled together are, since the file that
  # includes them names them by absolute paths, and so differs in each checkout.
  if(NOT CMAKE_UNITY_BUILD)
    set(depend CCACHE_DEPEND=1)
  endif()
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,locale CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
    CCACHE_NOHASHDIR=1 ${depend} ${CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  else()
    add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  endif()
endif()

find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# ordem_add_light_sources(TARGET FILE...): sources that read none of the headers which TARGET precompiles. GCC reads a precompiled header as
# a whole, which takes longer than to compile most of them without. Clang reads of it what a file needs.
function(ordem_add_light_sources target)
  target_sources(${target} PRIVATE ${ARGN})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set_source_files_properties(${ARGN} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()
