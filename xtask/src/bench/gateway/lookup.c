/* The least that a look-up server can do, to measure the gateway beside: HTTP/1.1
 * on a Unix socket, the address of X-Real-IP looked up in a sorted array of 32-bit
 * numbers. Arguments: the socket, and a file of such numbers in the order of this
 * machine. It believes everything it is sent. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static uint32_t *addresses;
static size_t count;

struct client {
    int socket, is_door;
    size_t length;
    char bytes[16384];
};

static int is_listed(uint32_t address) {
    size_t first = 0, end = count;
    while (first < end) {
        size_t middle = (first + end) / 2;
        if (addresses[middle] < address)
            first = middle + 1;
        else
            end = middle;
    }
    return first < count && addresses[first] == address;
}

static void watch(int queue, struct client *client) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(queue, EPOLL_CTL_ADD, client->socket, &event))
        exit(1);
}

/* Answers the request that has arrived in full. */
static void answer(struct client *client) {
    char text[64] = "";
    char *header = strcasestr(client->bytes, "x-real-ip:");
    struct in_addr address = {0};
    if (header)
        sscanf(header + 10, " %63[^\r]", text);
    const char *reply = inet_aton(text, &address) && is_listed(ntohl(address.s_addr))
        ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
        : "HTTP/1.1 204 No Content\r\n\r\n";
    if (send(client->socket, reply, strlen(reply), MSG_NOSIGNAL) < 0)
        client->length = 0;
    client->length = 0;
}

static void listen_to(struct client *client) {
    for (;;) {
        ssize_t got = recv(client->socket, client->bytes + client->length,
                           sizeof client->bytes - 1 - client->length, 0);
        if (got < 0)
            return;
        if (got == 0) {
            close(client->socket);
            free(client);
            return;
        }
        client->length += got;
        client->bytes[client->length] = 0;
        if (strstr(client->bytes, "\r\n\r\n"))
            answer(client);
    }
}

int main(int argc, char **argv) {
    int file = argc == 3 ? open(argv[2], O_RDONLY) : -1;
    struct stat found;
    if (file < 0 || fstat(file, &found))
        return 1;
    count = found.st_size / sizeof *addresses;
    addresses = malloc(found.st_size + 1);
    if (read(file, addresses, found.st_size) != found.st_size)
        return 1;
    int queue = epoll_create1(0);
    struct client *door = calloc(1, sizeof *door);
    door->is_door = 1;
    door->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    strncpy(place.sun_path, argv[1], sizeof place.sun_path - 1);
    if (bind(door->socket, (void *)&place, sizeof place) || listen(door->socket, 4096))
        return 1;
    watch(queue, door);
    struct epoll_event events[256];
    for (;;) {
        int ready = epoll_wait(queue, events, 256, -1);
        for (int at = 0; at < ready; at++) {
            struct client *client = events[at].data.ptr;
            if (!client->is_door) {
                listen_to(client);
                continue;
            }
            int socket;
            while ((socket = accept4(client->socket, 0, 0, SOCK_NONBLOCK)) >= 0) {
                struct client *guest = calloc(1, sizeof *guest);
                guest->socket = socket;
                watch(queue, guest);
            }
        }
    }
}
