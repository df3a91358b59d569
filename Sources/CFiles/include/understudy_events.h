// Linux ways to be told of things, which Swift's Glibc module doesn't show.
#ifndef UNDERSTUDY_EVENTS_H
#define UNDERSTUDY_EVENTS_H

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>

#endif
