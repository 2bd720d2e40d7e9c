/* What inet_aton(3) of this machine's C library makes of each line of standard
 * input: an address or "error", a line each. As in any C program, a NUL ends
 * the text. */

#define _DEFAULT_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	while ((length = getline(&line, &room, stdin)) > 0) {
		struct in_addr address;

		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		puts(inet_aton(line, &address) ? inet_ntoa(address) : "error");
	}
	free(line);
	return ferror(stdin) || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
