// The part of hiredis that is used: its RESP2 codec. Sockets, TLS and time belong to SwiftNIO.
#include <hiredis/hiredis.h>
#include <hiredis/read.h>
