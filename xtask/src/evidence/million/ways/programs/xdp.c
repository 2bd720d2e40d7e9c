/* The least that blocks by a program of XDP, in generic mode: the source of each packet
 * is looked up in a map of longest prefixes, or of hashes. Nothing of it stays behind: map
 * and program go with this process. Arguments: a file of lines "+192.0.2.1" and
 * "-192.0.2.1", an interface, and "lpm" or "hash". It says "ready" when those are in
 * force, and reads the file again for each line of its standard input, at whose end it
 * ends. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct key {
    uint32_t length, address;
};

static int map, is_lpm;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int bpf(int command, union bpf_attr *attributes) {
    return syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

#define DO(code_, dst, src, off_, imm_) \
    ((struct bpf_insn){.code = code_, .dst_reg = dst, .src_reg = src, .off = off_, .imm = imm_})

static int program(void) {
    struct bpf_insn lines[] = {
        DO(BPF_LDX | BPF_W | BPF_MEM, 2, 1, 0, 0),                /* r2 = data */
        DO(BPF_LDX | BPF_W | BPF_MEM, 3, 1, 4, 0),                /* r3 = data_end */
        DO(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0),              /* Ethernet and IPv4 */
        DO(BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, 34),
        DO(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 13, 0),               /* or pass */
        DO(BPF_LDX | BPF_H | BPF_MEM, 5, 2, 12, 0),
        DO(BPF_JMP | BPF_JNE | BPF_K, 5, 0, 11, htons(0x0800)),   /* or pass */
        DO(BPF_LDX | BPF_W | BPF_MEM, 5, 2, 26, 0),               /* the source */
        DO(BPF_STX | BPF_W | BPF_MEM, 10, 5, -4, 0),
        DO(BPF_ST | BPF_W | BPF_MEM, 10, 0, -8, 32),
        DO(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),
        DO(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, is_lpm ? -8 : -4),
        DO(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map),
        DO(0, 0, 0, 0, 0),
        DO(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
        DO(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2, 0),                /* not there: pass */
        DO(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_DROP),
        DO(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
        DO(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS),
        DO(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    };
    static char log[65536];
    union bpf_attr load = {.prog_type = BPF_PROG_TYPE_XDP};
    load.insn_cnt = sizeof lines / sizeof *lines;
    load.insns = (uintptr_t)lines;
    load.license = (uintptr_t) "GPL";
    load.log_buf = (uintptr_t)log;
    load.log_size = sizeof log;
    load.log_level = 1;
    int made = bpf(BPF_PROG_LOAD, &load);
    if (made < 0) {
        int why = errno;
        fputs(log, stderr);
        errno = why;
        fail("error: the program");
    }
    return made;
}

static void change(int verb, const struct key *keys, uint32_t count) {
    /* A map of hashes has the address alone for a key. */
    size_t length = is_lpm ? sizeof *keys : 4;
    char *packed = malloc(length * count + 1), *values = calloc(count + 1, 4);
    for (uint32_t at = 0; at < count; at++)
        memcpy(packed + at * length, (char *)(keys + at) + sizeof *keys - length, length);
    union bpf_attr batch = {.batch = {.map_fd = map, .count = count}};
    batch.batch.keys = (uintptr_t)packed;
    batch.batch.values = (uintptr_t)values;
    if (count && bpf(verb, &batch) < 0)
        fail("error: the map");
    free(packed);
    free(values);
}

/* A change of both maps is one call for all that comes, and one for all that goes. */
static void read_changes(const char *path) {
    FILE *file = fopen(path, "r");
    struct key *keys[2] = {NULL, NULL};
    uint32_t counts[2] = {0, 0}, rooms[2] = {0, 0};
    char line[64];
    if (!file)
        fail(path);
    while (fgets(line, sizeof line, file)) {
        int which = *line == '-';
        line[strcspn(line, "\n")] = 0;
        if (counts[which] == rooms[which]) {
            rooms[which] = rooms[which] * 2 + 1024;
            keys[which] = realloc(keys[which], rooms[which] * sizeof **keys);
        }
        struct key *key = &keys[which][counts[which]++];
        key->length = 32;
        if (inet_pton(AF_INET, line + 1, &key->address) != 1)
            fail(line);
    }
    fclose(file);
    change(BPF_MAP_UPDATE_BATCH, keys[0], counts[0]);
    change(BPF_MAP_DELETE_BATCH, keys[1], counts[1]);
    free(keys[0]);
    free(keys[1]);
}

int main(int argc, char **argv) {
    char line[16];
    union bpf_attr create = {0}, attach = {0};
    if (argc < 4)
        return 2;
    is_lpm = !strcmp(argv[3], "lpm");
    create.map_type = is_lpm ? BPF_MAP_TYPE_LPM_TRIE : BPF_MAP_TYPE_HASH;
    create.key_size = is_lpm ? sizeof(struct key) : 4;
    create.value_size = 4;
    create.max_entries = 1 << 21;
    create.map_flags = BPF_F_NO_PREALLOC;
    map = bpf(BPF_MAP_CREATE, &create);
    if (map < 0)
        fail("error: a map");
    read_changes(argv[1]);
    attach.link_create.prog_fd = program();
    attach.link_create.target_ifindex = if_nametoindex(argv[2]);
    attach.link_create.attach_type = BPF_XDP;
    attach.link_create.flags = XDP_FLAGS_SKB_MODE;
    if (bpf(BPF_LINK_CREATE, &attach) < 0)
        fail("error: the interface");
    for (;;) {
        puts("ready");
        fflush(stdout);
        if (read(0, line, sizeof line) <= 0)
            return 0;
        read_changes(argv[1]);
    }
}
