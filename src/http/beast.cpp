// The compiled part of Boost.Asio and Boost.Beast: see BOOST_ASIO_SEPARATE_COMPILATION in cmake/module.cmake.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
