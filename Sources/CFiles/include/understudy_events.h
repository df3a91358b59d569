// Linux event interfaces that Swift's Glibc module doesn't import.
#ifndef UNDERSTUDY_EVENTS_H
#define UNDERSTUDY_EVENTS_H

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>

#endif
