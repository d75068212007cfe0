/* keys.c - prints the key under which the search page finds each name on standard input, a line each */
#include <stdio.h>
#include <stdlib.h>

#include "lib/desk/public_p.h"

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	while ((len = getline(&line, &size, stdin)) > 0) {
		struct str key = STR_INIT;
		line[len - 1] = '\0';
		public_key(&key, line);
		printf("%s\n", key.s);
		str_free(&key);
	}
	free(line);
	return 0;
}
