/* The least that blocks from user space: a queue of NFQUEUE, and each packet's source
 * looked up in a sorted array. Arguments: a file of lines "+192.0.2.1" and
 * "-192.0.2.1". It says "ready" when those are in force, and reads the file again for
 * each line of its standard input, at whose end it ends. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT_ONCE = 64, ROOM = 512 };

static uint32_t *listed;
static size_t count, room;
static int kernel;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* Where an address is or would be. */
static size_t place(uint32_t address) {
    size_t first = 0, end = count;
    while (first < end) {
        size_t middle = (first + end) / 2;
        if (listed[middle] < address)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

static int compare(const void *one, const void *other) {
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return a < b ? -1 : a > b;
}

static void read_changes(const char *path) {
    FILE *file = fopen(path, "r");
    char line[64];
    struct in_addr address;
    int is_first = !count;
    if (!file)
        fail(path);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (inet_pton(AF_INET, line + 1, &address) != 1)
            fail(line);
        uint32_t number = ntohl(address.s_addr);
        size_t at = is_first ? count : place(number);
        int is_there = !is_first && at < count && listed[at] == number;
        if (*line == '+' && !is_there) {
            if (count == room && !(listed = realloc(listed, (room = room * 2 + 1024) * 4)))
                fail("memory");
            memmove(listed + at + 1, listed + at, (count++ - at) * 4);
            listed[at] = number;
        } else if (*line == '-' && is_there) {
            memmove(listed + at, listed + at + 1, (--count - at) * 4);
        }
    }
    fclose(file);
    if (is_first)
        qsort(listed, count, 4, compare);
}

/* Adds a message with one attribute to those at `at`. */
static char *message(char *at, int type, int flags, int attribute, const void *data, int length) {
    struct nlmsghdr *head = (struct nlmsghdr *)at;
    struct nfgenmsg *family = NLMSG_DATA(head);
    struct nlattr *value = (struct nlattr *)(family + 1);
    memset(at, 0, NLMSG_SPACE(sizeof *family));
    head->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | type;
    head->nlmsg_flags = NLM_F_REQUEST | flags;
    value->nla_type = attribute;
    value->nla_len = NLA_HDRLEN + length;
    memcpy((char *)value + NLA_HDRLEN, data, length);
    head->nlmsg_len = NLMSG_SPACE(sizeof *family) + NLA_ALIGN(value->nla_len);
    return at + NLMSG_ALIGN(head->nlmsg_len);
}

static void configure(int attribute, const void *data, int length) {
    char bytes[1024];
    char *end = message(bytes, NFQNL_MSG_CONFIG, NLM_F_ACK, attribute, data, length);
    if (send(kernel, bytes, end - bytes, 0) < 0 || recv(kernel, bytes, sizeof bytes, 0) < 0)
        fail("the kernel");
    errno = -((struct nlmsgerr *)NLMSG_DATA((struct nlmsghdr *)bytes))->error;
    if (errno)
        fail("the queue");
}

static void open_queue(void) {
    struct nfqnl_msg_config_cmd bind_it = {.command = NFQNL_CFG_CMD_BIND, .pf = htons(AF_INET)};
    struct nfqnl_msg_config_params copy = {htonl(20), NFQNL_COPY_PACKET};
    uint32_t most = htonl(65536);
    int buffer = 256 << 20, yes = 1;
    kernel = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
    if (kernel < 0)
        fail("netlink");
    setsockopt(kernel, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    setsockopt(kernel, SOL_NETLINK, NETLINK_NO_ENOBUFS, &yes, sizeof yes);
    configure(NFQA_CFG_CMD, &bind_it, sizeof bind_it);
    configure(NFQA_CFG_PARAMS, &copy, sizeof copy);
    configure(NFQA_CFG_QUEUE_MAXLEN, &most, sizeof most);
}

/* The verdict on one packet, added at `at`. */
static char *judge(struct nlmsghdr *head, char *at) {
    struct nlattr *value = (struct nlattr *)((char *)NLMSG_DATA(head) + sizeof(struct nfgenmsg));
    char *end = (char *)head + head->nlmsg_len;
    struct nfqnl_msg_verdict_hdr verdict = {htonl(NF_ACCEPT), 0};
    for (; (char *)value < end; value = (struct nlattr *)((char *)value + NLA_ALIGN(value->nla_len))) {
        char *data = (char *)value + NLA_HDRLEN;
        uint32_t source;
        if (value->nla_type == NFQA_PACKET_HDR) {
            verdict.id = ((struct nfqnl_msg_packet_hdr *)data)->packet_id;
        } else if (value->nla_type == NFQA_PAYLOAD && value->nla_len >= NLA_HDRLEN + 20) {
            memcpy(&source, data + 12, 4);
            size_t found = place(ntohl(source));
            if (found < count && listed[found] == ntohl(source))
                verdict.verdict = htonl(NF_DROP);
        }
    }
    return message(at, NFQNL_MSG_VERDICT, 0, NFQA_VERDICT_HDR, &verdict, sizeof verdict);
}

static void serve(void) {
    static char packets[AT_ONCE][ROOM], verdicts[AT_ONCE * 64];
    static struct mmsghdr messages[AT_ONCE];
    static struct iovec parts[AT_ONCE];
    for (int at = 0; at < AT_ONCE; at++) {
        parts[at] = (struct iovec){packets[at], ROOM};
        messages[at].msg_hdr.msg_iov = &parts[at];
        messages[at].msg_hdr.msg_iovlen = 1;
    }
    int got = recvmmsg(kernel, messages, AT_ONCE, MSG_DONTWAIT, NULL);
    char *end = verdicts;
    for (int at = 0; at < got; at++) {
        struct nlmsghdr *head = (struct nlmsghdr *)packets[at];
        if (head->nlmsg_type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
            end = judge(head, end);
    }
    if (end > verdicts && send(kernel, verdicts, end - verdicts, 0) < 0)
        fail("a verdict");
}

int main(int argc, char **argv) {
    char line[16];
    if (argc < 2)
        return 2;
    open_queue();
    read_changes(argv[1]);
    for (;;) {
        struct pollfd sources[] = {{.fd = 0, .events = POLLIN}, {.fd = kernel, .events = POLLIN}};
        puts("ready");
        fflush(stdout);
        do {
            if (sources[1].revents)
                serve();
            if (poll(sources, 2, -1) < 0)
                fail("poll");
        } while (!sources[0].revents);
        if (read(0, line, sizeof line) <= 0)
            return 0;
        read_changes(argv[1]);
    }
}
