// Where the C++ library gives up: it tells the operator, and ends the node. The library's own way writes to standard
// error, for which a plugin would import files and streams.

#include <berth.h>

#include <__verbose_abort>
#include <cstdarg>
#include <cstdio>

_LIBCPP_BEGIN_NAMESPACE_STD

[[noreturn]] void __libcpp_verbose_abort(const char *format, ...) noexcept {
    va_list arguments;
    va_start(arguments, format);
    char text[512];
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    berth_log(BERTH_ERROR, "%s", text);
    __builtin_trap();
}

_LIBCPP_END_NAMESPACE_STD
