# Settings that every target of this project shares: `target_link_libraries(x PRIVATE bf_settings)`.
option(BF_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(BF_WERROR "Warnings are errors" OFF)
option(BF_FAILPOINTS "Compile the named fail points (BF_FAILPOINT=name:kill|hang|error) into the binaries" OFF)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

add_library(bf_settings INTERFACE)
target_compile_features(bf_settings INTERFACE c_std_17)
target_compile_definitions(bf_settings INTERFACE _GNU_SOURCE BF_VERSION="${PROJECT_VERSION}")
target_compile_options(bf_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wvla
  -Wcast-qual -Wnull-dereference -Wswitch-enum -fno-common
  -include ${PROJECT_SOURCE_DIR}/common/base/banned.h)
if(BF_WERROR)
  target_compile_options(bf_settings INTERFACE -Werror)
endif()
if(BF_FAILPOINTS)
  target_compile_definitions(bf_settings INTERFACE BF_FAILPOINTS)
endif()
if(BF_SANITIZE)
  target_compile_options(bf_settings INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(bf_settings INTERFACE -fsanitize=address,undefined)
else()
  target_compile_options(bf_settings INTERFACE $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2> -fstack-protector-strong -fPIE)
  target_link_options(bf_settings INTERFACE -pie -Wl,-z,relro,-z,now)
endif()

find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(SMARTCOLS REQUIRED IMPORTED_TARGET smartcols)
find_package(Threads REQUIRED)
