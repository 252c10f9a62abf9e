// Strict, incremental parsers of HTTP/1.1 message heads (RFC 9112 §2-§6). Worker.
//
// Feeding protocol, the same for both: parse(begin, end) gets all bytes of the message that there are; called again, it
// gets the same `begin` and a later `end`, and goes on where it stopped (a split in any place gives the same result).
// If the bytes must move, reset() and start again. After Done, consumed() is the head's length with its empty line,
// and the views of head() point into [begin, begin + consumed()) or at constants.
//
// A line is judged when its CRLF is there; a forbidden byte (bare CR or LF, NUL, control character), a first byte that
// begins no message, and an excess over a limit are refused at once.
#pragma once

#include "worker/http1/parse_result.h"
#include "worker/http1/request_parser.h"
#include "worker/http1/response_parser.h"
