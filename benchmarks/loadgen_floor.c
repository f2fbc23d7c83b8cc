/* The least that a closed loop of keep-alive connections asks of the kernel: for each answer one read and one write.

       cc -O2 -o floor loadgen_floor.c && ./floor PORT CONNECTIONS SECONDS

   Nothing is parsed, timed or recorded: an answer counts as whole when it ends in "ok". What any client pays that asks
   in this way, wrk among them, is at least this. Prints the requests, and the seconds of CPU, user and system, that
   they took. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LARGEST 4096
#define AT_ONCE 64

static const char REQUEST[] = "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static double seconds(struct timeval time) { return time.tv_sec + time.tv_usec / 1e6; }

static void ask(int connection) {
    if (write(connection, REQUEST, sizeof REQUEST - 1) != sizeof REQUEST - 1) fail("write");
}

static void take(int connection) {
    char answer[LARGEST];
    ssize_t size = read(connection, answer, sizeof answer);
    if (size < 2 || memcmp(answer + size - 2, "ok", 2) != 0) fail("an answer that is not whole");
}

static void open_one(int watched, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct epoll_event event = {.events = EPOLLIN};
    int yes = 1, connection = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(connection, F_SETFL, O_NONBLOCK);
    event.data.fd = connection;
    if (epoll_ctl(watched, EPOLL_CTL_ADD, connection, &event) != 0) fail("epoll_ctl");
    ask(connection);
}

int main(int count, char **arguments) {
    if (count != 4) {
        fprintf(stderr, "usage: %s PORT CONNECTIONS SECONDS\n", arguments[0]);
        return 2;
    }
    int watched = epoll_create1(0);
    long answers = 0;
    for (int made = 0; made < atoi(arguments[2]); made++) open_one(watched, atoi(arguments[1]));
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    for (double end = now() + atof(arguments[3]); now() < end;) {
        struct epoll_event ready[AT_ONCE];
        int found = epoll_wait(watched, ready, AT_ONCE, 100);
        for (int index = 0; index < found; index++, answers++) {
            take(ready[index].data.fd);
            ask(ready[index].data.fd);
        }
    }
    getrusage(RUSAGE_SELF, &after);
    printf("%ld %.6f %.6f\n", answers, seconds(after.ru_utime) - seconds(before.ru_utime),
           seconds(after.ru_stime) - seconds(before.ru_stime));
    return 0;
}
