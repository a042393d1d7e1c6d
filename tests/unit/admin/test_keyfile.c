/* test_keyfile.c - keys on disk: written whole, never over others unasked, refused when open. */
#include "admin/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "admin/file.h"
#include "list/secretfile.h"
#include "scratch.h"

static uint8_t public_key[DOCUMENT_KEY_BYTES], secret[DOCUMENT_SECRET_BYTES];

static void setup(void)
{
	scratch_setup();
	crypto_sign_keypair(public_key, secret);
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

START_TEST(operator_key_comes_back_as_it_was_stored)
{
	const char *path = scratch_path("key");
	uint8_t *loaded;

	(void)umask(0);
	ck_assert_int_eq(keyfile_operator_store(path, false, NULL, secret, &failure), 0);
	ck_assert_uint_eq(mode_of(path), 0600);
	ck_assert_uint_eq(scratch_count(), 1);
	ck_assert_int_eq(keyfile_operator_load(path, NULL, &loaded, &failure), 0);
	ck_assert_mem_eq(loaded, secret, sizeof(secret));
	sodium_free(loaded);
}
END_TEST

START_TEST(operator_key_with_any_character_changed_is_refused)
{
	const char *path = scratch_path("key");
	char *text;
	size_t length;

	ck_assert_int_eq(keyfile_operator_store(path, false, NULL, secret, &failure), 0);
	ck_assert_int_eq(file_read(path, 256, &text, &length, &failure), 0);
	ck_assert_uint_eq(length, 113);
	for (size_t i = 0; i + 1 < length; i++) {
		uint8_t *loaded = NULL;
		char kept = text[i];
		int error;

		text[i] = kept == 'A' ? 'B' : 'A';
		ck_assert_int_eq(file_write(path, 0600, true, text, length, &failure), 0);
		error = keyfile_operator_load(path, NULL, &loaded, &failure);
		ck_assert_msg(error == -EBADMSG, "character %zu: %d", i, error);
		ck_assert_says(failure.text, path);
		text[i] = kept;
	}
	free(text);
}
END_TEST

START_TEST(encrypted_operator_key_opens_with_its_passphrase_alone)
{
	const char *path = scratch_path("key");
	char words[256], others[256];
	uint8_t *loaded = NULL;

	(void)snprintf(words, sizeof(words), "%s", scratch_file("words", "open sesame\n"));
	(void)snprintf(others, sizeof(others), "%s", scratch_file("others", "open simsim\n"));
	ck_assert_int_eq(chmod(words, 0600) | chmod(others, 0600), 0);
	ck_assert_int_eq(keyfile_operator_store(path, false, "open sesame", secret, &failure), 0);
	ck_assert_uint_eq(mode_of(path), 0600);
	ck_assert_int_eq(keyfile_operator_load(path, words, &loaded, &failure), 0);
	ck_assert_mem_eq(loaded, secret, sizeof(secret));
	sodium_free(loaded);
	ck_assert_int_eq(keyfile_operator_load(path, others, &loaded, &failure), -EKEYREJECTED);
	ck_assert_says(failure.text, path);
}
END_TEST

/* What the file asks for is bounded before it is done. */
START_TEST(encrypted_operator_key_of_another_form_is_refused)
{
	static const char *const forms[] = {"0 262144",
					    "65 262144",
					    "3 7",
					    "3 4194305",
					    "3  262144",
					    "3 0262144",
					    "-3 262144",
					    "3 262144 1",
					    "03 262144",
					    "x 262144",
					    "18446744073709551619 262144",
					    "3 18446744073709813760"};
	const char *path = scratch_path("key");
	uint8_t *loaded = NULL;

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		char line[256];
		int length =
		    snprintf(line, sizeof(line), "mcroster-operator-key 2 %s %.160s\n", forms[i],
			     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
			     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
			     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");

		ck_assert_int_eq(file_write(path, 0600, true, line, (size_t)length, &failure), 0);
		ck_assert_int_eq(keyfile_operator_load(path, path, &loaded, &failure), -EBADMSG);
		ck_assert_says(failure.text, "not an operator's key");
	}
}
END_TEST

START_TEST(secret_that_others_may_read_is_refused)
{
	const char *path = scratch_path("key");
	uint8_t *loaded;

	ck_assert_int_eq(keyfile_operator_store(path, false, NULL, secret, &failure), 0);
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_int_eq(keyfile_operator_load(path, NULL, &loaded, &failure), -EPERM);
	ck_assert_says(failure.text, "mode 0640");
	ck_assert_int_eq(keyfile_secret_store(path, true, public_key, &failure), 0);
	ck_assert_int_eq(secretfile_key_load(path, &loaded, &failure), 0);
	ck_assert_mem_eq(loaded, public_key, sizeof(public_key));
	sodium_free(loaded);
	ck_assert_int_eq(chmod(path, 0604), 0);
	ck_assert_int_eq(secretfile_key_load(path, &loaded, &failure), -EPERM);
}
END_TEST

START_TEST(existing_file_is_left_as_it_is_unless_asked)
{
	const char *path = scratch_file("key", "precious");
	char *text;
	size_t length;

	ck_assert_int_eq(keyfile_operator_store(path, false, NULL, secret, &failure), -EEXIST);
	ck_assert_says(failure.text, path);
	ck_assert_int_eq(keyfile_public_store(path, false, public_key, &failure), -EEXIST);
	ck_assert_int_eq(file_read(path, 256, &text, &length, &failure), 0);
	ck_assert_str_eq(text, "precious");
	free(text);
	ck_assert_int_eq(keyfile_public_store(path, true, public_key, &failure), 0);
	ck_assert_uint_eq(mode_of(path), 0644);
	ck_assert_uint_eq(scratch_count(), 1);
}
END_TEST

START_TEST(what_is_no_regular_file_is_never_replaced)
{
	const char *path = scratch_path("null");
	struct stat st;

	ck_assert_int_eq(symlink("/dev/null", path), 0);
	ck_assert_int_eq(file_write(path, 0644, true, "x", 1, &failure), -EEXIST);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(file_write(scratch_directory, 0644, true, "x", 1, &failure), -EEXIST);
	ck_assert_int_eq(file_write("/nowhere/at/all", 0644, true, "x", 1, &failure), -ENOENT);
	ck_assert_uint_eq(scratch_count(), 1);
}
END_TEST

START_TEST(public_key_is_taken_from_base64_or_from_a_file)
{
	const char *path = scratch_path("key.pub");
	uint8_t key[KEYFILE_KEY_BYTES];
	char text[DOCUMENT_KEY_CHARS + 1];

	document_key_print(public_key, text);
	ck_assert_int_eq(keyfile_public_load(text, key, &failure), 0);
	ck_assert_mem_eq(key, public_key, sizeof(key));
	ck_assert_int_eq(keyfile_public_store(path, false, public_key, &failure), 0);
	memset(key, 0, sizeof(key));
	ck_assert_int_eq(keyfile_public_load(path, key, &failure), 0);
	ck_assert_mem_eq(key, public_key, sizeof(key));
}
END_TEST

static const char *const not_keys[] = {
    "",
    "\n",
    "AAAA\n",
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n",
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n", /* stray bits */
    " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n",
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\nmore\n",
};

START_TEST(what_is_not_one_line_with_a_key_is_refused)
{
	const char *path = scratch_file("key", not_keys[_i]);
	uint8_t key[KEYFILE_KEY_BYTES], *loaded;

	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_int_eq(keyfile_public_load(path, key, &failure), -EBADMSG);
	ck_assert_int_eq(keyfile_operator_load(path, NULL, &loaded, &failure), -EBADMSG);
	ck_assert_says(failure.text, path);
}
END_TEST

START_TEST(reading_is_bounded)
{
	const char *path = scratch_file("file", "0123456789");
	char *bytes;
	size_t length;

	ck_assert_int_eq(file_read(path, 9, &bytes, &length, &failure), -EFBIG);
	ck_assert_int_eq(file_read(path, 10, &bytes, &length, &failure), 0);
	ck_assert_uint_eq(length, 10);
	ck_assert_str_eq(bytes, "0123456789");
	free(bytes);
	ck_assert_int_eq(file_read(scratch_directory, 10, &bytes, &length, &failure), -EINVAL);
	ck_assert_int_eq(file_read(scratch_path("none"), 10, &bytes, &length, &failure), -ENOENT);
}
END_TEST

START_TEST(what_is_no_regular_file_is_neither_read_nor_waited_for)
{
	const char *path = scratch_path("fifo");
	uint8_t key[KEYFILE_KEY_BYTES], *loaded;
	char *bytes;
	size_t length;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(file_read(path, 10, &bytes, &length, &failure), -EINVAL);
	ck_assert_says(failure.text, "regular file");
	ck_assert_int_eq(keyfile_operator_load(path, NULL, &loaded, &failure), -EINVAL);
	ck_assert_says(failure.text, "regular file");
	ck_assert_int_eq(keyfile_public_load(path, key, &failure), -EINVAL);
	ck_assert_says(failure.text, "regular file");
	ck_assert_int_eq(file_read("/dev/zero", 10, &bytes, &length, &failure), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keyfile");
	TCase *tcase = tcase_create("keyfile");

	tcase_add_checked_fixture(tcase, setup, scratch_teardown);
	tcase_add_test(tcase, operator_key_comes_back_as_it_was_stored);
	tcase_add_test(tcase, operator_key_with_any_character_changed_is_refused);
	tcase_add_test(tcase, encrypted_operator_key_of_another_form_is_refused);
	tcase_add_test(tcase, secret_that_others_may_read_is_refused);
	tcase_add_test(tcase, existing_file_is_left_as_it_is_unless_asked);
	tcase_add_test(tcase, what_is_no_regular_file_is_never_replaced);
	tcase_add_test(tcase, public_key_is_taken_from_base64_or_from_a_file);
	tcase_add_loop_test(tcase, what_is_not_one_line_with_a_key_is_refused, 0,
			    sizeof(not_keys) / sizeof(not_keys[0]));
	tcase_add_test(tcase, reading_is_bounded);
	tcase_add_test(tcase, what_is_no_regular_file_is_neither_read_nor_waited_for);
	suite_add_tcase(suite, tcase);
	/* Argon2id costs what it is to cost a thief. */
	tcase = tcase_create("passphrase");
	tcase_set_timeout(tcase, 240);
	tcase_add_checked_fixture(tcase, setup, scratch_teardown);
	tcase_add_test(tcase, encrypted_operator_key_opens_with_its_passphrase_alone);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
