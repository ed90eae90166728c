# The Debian package, which scripts/package makes by cpack -G DEB. What it holds is in deploy/debian/.

set(package_folder ${PROJECT_SOURCE_DIR}/deploy/debian)
set(package_output ${PROJECT_BINARY_DIR}/package)
file(MAKE_DIRECTORY ${package_output})

# Compressed without a time stamp, as Debian wants its documents: the same sources make the same package.
add_custom_command(
  OUTPUT ${package_output}/ordem.1.gz
  COMMAND sh -c "${package_folder}/manual $<TARGET_FILE:ordem> | gzip -9n >ordem.1.gz"
  WORKING_DIRECTORY ${package_output}
  DEPENDS ordem ${package_folder}/manual
  VERBATIM)
add_custom_command(
  OUTPUT ${package_output}/changelog.Debian.gz
  COMMAND sh -c "gzip -9nc ${package_folder}/changelog >changelog.Debian.gz"
  WORKING_DIRECTORY ${package_output}
  DEPENDS ${package_folder}/changelog
  VERBATIM)
add_custom_target(package_documents ALL DEPENDS ${package_output}/ordem.1.gz ${package_output}/changelog.Debian.gz)

install(TARGETS ordem DESTINATION bin)
if(TARGET ordem_otlp)
  install(TARGETS ordem_otlp LIBRARY DESTINATION lib/ordem)
endif()
install(FILES ${package_output}/ordem.1.gz DESTINATION share/man/man1)
install(FILES ${package_output}/changelog.Debian.gz ${package_folder}/copyright DESTINATION share/doc/ordem)
install(FILES ${PROJECT_SOURCE_DIR}/deploy/systemd/ordem.service DESTINATION /lib/systemd/system)
# It may come to hold a password. Its group is set when the package is installed: here there is none.
install(FILES ${package_folder}/ordem.conf DESTINATION /etc/ordem PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "Ordem maintainers <maintainers@ordem.example>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_NAME ordem)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
# The authorities that a key set behind an https URL is checked by.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
# For tracing alone, and from the backports: the program starts without. The names of its libraries have no version, so the package says it.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "postgresql, opentelemetry-cpp (>= 1.19), opentelemetry-cpp (<< 1.20~)")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "order engine over HTTP that executes every write exactly once
Each create and update of an order carries a GUID. One that was seen before
gets the earlier answer and is never executed again, not even after a crash.
Updates against an old version are refused, and nothing is answered before
it is on the disk.
.
It needs nothing beside it; orders can be followed in a Postgres database.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${package_folder}/conffiles ${package_folder}/postinst ${package_folder}/prerm ${package_folder}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
