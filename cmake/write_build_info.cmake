# Run at each build: writes OUTPUT from build_info.cpp.in, if what it would hold has changed. See build_info.cmake.

set(commit "${COMMIT}")
if(commit STREQUAL "")
  # Not the commit of a repository that merely holds a copy of the sources.
  if(EXISTS ${SOURCE}/.git)
    execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
      OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
  if(commit STREQUAL "")
    set(commit unknown)
  endif()
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/build_info.cpp.in ${OUTPUT} @ONLY)
