/* The rule table, judged twice: against the table of the manual, written out here once more, and
 * against the model's four functions, carried out on a world of two servers and one key. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

#define O 0u
#define N 1u

/* How one plan reads: r = read, l = read where an empty value is a miss, w = the caller's command,
 * s = set, d = delete; upper case at the new owner; "-" not stored, "?" answers a read. */
static void plan_spell(const struct mcr_plan *plan, char text[16])
{
	static const char letters[2][2][5] = {{"rwsd", "RWSD"}, {"l", "L"}};
	char *end = text;

	for (unsigned i = 0; i < plan->step_count; i++) {
		const struct mcr_step *step = &plan->step[i];

		*end++ = letters[step->empty_is_miss][step->server][step->send];
	}
	if (plan->answer == MCR_ANSWER_NOT_STORED)
		*end++ = '-';
	if (plan->answer == MCR_ANSWER_READ)
		*end++ = '?';
	*end = '\0';
}

static const char *const table[MCR_PHASE_COUNT][MCR_OP_COUNT] = {
    /*		  get,   set,  add,     update, append, delete, touch */
    [MCR_STEADY] = {"r", "w", "w", "w", "w", "d", "w"},
    [MCR_PREPARE] = {"r", "wD", "wD", "wD", "wD", "dD", "r?"},
    [MCR_COPY] = {"rL", "wD", "rLwD", "wD", "wD", "dD", "rL?"},
    [MCR_SWITCH] = {"LrL", "Wd", "LrLSd", "Wd", "Wd", "dD", "LrL?"},
    [MCR_SETTLE] = {"LrL", "dW", "LrLdS", "dW", "dD-", "dD", "LrL?"},
    [MCR_DRAIN] = {"LrL", "dW", "LrLdS", "dW", "dD-", "dD", "LrL?"},
    [MCR_GIVEUP] = {"L", "dW", "LdS", "dW", "dD-", "dD", "L?"},
    [MCR_UNWIND] = {"r", "wD", "wD", "wD", "wD", "dD", "r?"},
};

START_TEST(every_plan_is_the_tables_cell)
{
	for (uint32_t phase = 0; phase < MCR_PHASE_COUNT; phase++)
		for (unsigned op = 0; op < MCR_OP_COUNT; op++) {
			struct mcr_plan plan;
			char spelled[16];

			memset(&plan, 0xee, sizeof(plan));
			plan_fill(phase, op, O, phase == MCR_STEADY ? O : N, &plan);
			plan_spell(&plan, spelled);
			ck_assert_msg(strcmp(spelled, table[phase][op]) == 0,
				      "%s, op %u: %s, want %s", mcr_phase_name(phase), op, spelled,
				      table[phase][op]);
			ck_assert_uint_eq(plan.phase, phase);
			ck_assert_uint_eq(plan.op, op);
		}
}
END_TEST

START_TEST(a_key_that_stays_is_steady_in_every_phase)
{
	for (uint32_t phase = 0; phase < MCR_PHASE_COUNT; phase++)
		for (unsigned op = 0; op < MCR_OP_COUNT; op++) {
			struct mcr_plan plan;

			plan_fill(phase, op, 7, 7, &plan);
			ck_assert_uint_eq(plan.step_count, 1);
			ck_assert_uint_eq(plan.step[0].server, 7);
			ck_assert_uint_eq(plan.answer, MCR_ANSWER_RESULT);
			ck_assert_uint_eq(plan.owner, 7);
			ck_assert_uint_eq(plan.phase, phase);
		}
}
END_TEST

START_TEST(steps_that_are_not_there_are_zero)
{
	static const struct mcr_step none;

	for (uint32_t phase = 0; phase < MCR_PHASE_COUNT; phase++)
		for (unsigned op = 0; op < MCR_OP_COUNT; op++) {
			struct mcr_plan plan;

			memset(&plan, 0xee, sizeof(plan));
			plan_fill(phase, op, 5, 9, &plan);
			ck_assert_uint_ge(plan.step_count, 1);
			ck_assert_uint_le(plan.step_count, MCR_STEPS_MAX);
			for (unsigned i = plan.step_count; i < MCR_STEPS_MAX; i++)
				ck_assert_mem_eq(&plan.step[i], &none, sizeof(none));
		}
}
END_TEST

START_TEST(cas_tokens_belong_to_the_server_that_is_written)
{
	for (uint32_t phase = 0; phase < MCR_PHASE_COUNT; phase++) {
		struct mcr_plan plan;
		unsigned writes = 0;

		plan_fill(phase, MCR_OP_UPDATE, O, phase == MCR_STEADY ? O : N, &plan);
		for (unsigned i = 0; i < plan.step_count; i++)
			if (plan.step[i].send == MCR_SEND_WRITE) {
				ck_assert_uint_eq(plan.step[i].server, plan.owner);
				writes++;
			}
		ck_assert_uint_eq(writes, 1);
		for (unsigned op = 0; op < MCR_OP_COUNT; op++) {
			struct mcr_plan other;

			plan_fill(phase, op, O, phase == MCR_STEADY ? O : N, &other);
			ck_assert_uint_eq(other.owner, plan.owner);
		}
	}
}
END_TEST

/* The world of the model: a value is a version, 0 is absent, STUB a mover's reservation. */
#define STUB 200u

struct world {
	unsigned value[2]; /* at O, at N */
};

/* The model's functions, from tests/model/move.pml. */
static unsigned model_get(uint32_t p, const struct world *w)
{
	const unsigned at_n = w->value[N] == STUB ? 0 : w->value[N];

	if (p == MCR_STEADY || p == MCR_PREPARE || p == MCR_UNWIND)
		return w->value[O];
	if (p == MCR_COPY)
		return w->value[O] != 0 ? w->value[O] : at_n;
	if (p >= MCR_SWITCH && p <= MCR_DRAIN) {
		if (at_n != 0)
			return at_n;
		return w->value[O] != 0 ? w->value[O] : at_n;
	}
	return at_n; /* GIVEUP */
}

static void model_set(uint32_t p, struct world *w, unsigned v)
{
	if (p == MCR_STEADY) {
		w->value[O] = v;
	} else if (p == MCR_PREPARE || p == MCR_COPY || p == MCR_UNWIND) {
		w->value[O] = v;
		w->value[N] = 0;
	} else {
		w->value[N] = v;
		w->value[O] = 0;
	}
}

static void model_delete(uint32_t p, struct world *w)
{
	w->value[O] = 0;
	if (p != MCR_STEADY)
		w->value[N] = 0;
}

static unsigned model_update_at(struct world *w, unsigned side, unsigned v)
{
	if (w->value[side] == 0 || w->value[side] == STUB)
		return 0;
	w->value[side] = v;
	return v;
}

static unsigned model_update(uint32_t p, struct world *w, unsigned v)
{
	if (p == MCR_STEADY)
		return model_update_at(w, O, v);
	if (p == MCR_PREPARE || p == MCR_COPY || p == MCR_UNWIND) {
		v = model_update_at(w, O, v);
		w->value[N] = 0;
	} else {
		v = model_update_at(w, N, v);
		w->value[O] = 0;
	}
	return v;
}

/* What memcached answers to the caller's own command: 0 is "no" (not found, not stored). */
static unsigned serve_write(struct world *w, unsigned side, enum mcr_op op, unsigned v)
{
	switch (op) {
	case MCR_OP_SET:
		w->value[side] = v;
		return v;
	case MCR_OP_ADD: /* a reservation is an item */
		if (w->value[side] != 0)
			return 0;
		w->value[side] = v;
		return v;
	case MCR_OP_UPDATE:
	case MCR_OP_APPEND:
		return model_update_at(w, side, v);
	case MCR_OP_TOUCH:
		return w->value[side];
	default:
		ck_abort_msg("op %d writes nothing", op);
	}
}

/* An adapter as mcroster.h describes it.  What it answers: a version, or 0 for "no". */
static unsigned plan_execute(const struct mcr_plan *plan, struct world *w, unsigned v)
{
	unsigned answer = 0;
	bool written = false;

	for (unsigned i = 0; i < plan->step_count; i++) {
		const struct mcr_step *step = &plan->step[i];
		unsigned found;

		switch (step->send) {
		case MCR_SEND_READ:
			found = w->value[step->server];
			if (found == 0 || (found == STUB && step->empty_is_miss))
				break;
			return plan->op == MCR_OP_ADD ? 0 : found;
		case MCR_SEND_WRITE:
			answer = serve_write(w, step->server, plan->op, v);
			written = true;
			break;
		case MCR_SEND_SET:
			w->value[step->server] = answer = v;
			written = true;
			break;
		case MCR_SEND_DELETE:
			w->value[step->server] = 0;
			break;
		default:
			ck_abort_msg("send %u", step->send);
		}
	}
	return plan->answer == MCR_ANSWER_RESULT && written ? answer : 0;
}

static unsigned model_execute(uint32_t p, enum mcr_op op, struct world *w, unsigned v)
{
	switch (op) {
	case MCR_OP_GET:
		return model_get(p, w);
	case MCR_OP_TOUCH: /* the read rule, also where it is the caller's own touch */
		return model_get(p, w);
	case MCR_OP_SET:
		model_set(p, w, v);
		return v;
	case MCR_OP_ADD:
		if (model_get(p, w) != 0)
			return 0;
		model_set(p, w, v);
		return v;
	case MCR_OP_UPDATE:
		return model_update(p, w, v);
	case MCR_OP_APPEND:
		if (p < MCR_SETTLE || p == MCR_UNWIND)
			return model_update(p, w, v);
		model_delete(p, w);
		return 0;
	case MCR_OP_DELETE:
		model_delete(p, w);
		return 0;
	default:
		ck_abort_msg("op %d", op);
	}
}

/* Values that the model's world can hold: nobody reserves at O, and under STEADY's rule N is not
 * looked at. */
static const unsigned at_old[] = {0, 2};
static const unsigned at_new[] = {0, 1, 3, STUB};

START_TEST(plans_do_what_the_model_does)
{
	for (uint32_t p = 0; p < MCR_PHASE_COUNT; p++)
		for (unsigned op = 0; op < MCR_OP_COUNT; op++)
			for (unsigned i = 0; i < 8; i++) {
				const struct world start = {{at_old[i / 4], at_new[i % 4]}};
				struct world ours = start, models = start;
				struct mcr_plan plan;
				unsigned answer, want;

				plan_fill(p, op, O, p == MCR_STEADY ? O : N, &plan);
				answer = plan_execute(&plan, &ours, 9);
				want = model_execute(p, op, &models, 9);
				ck_assert_msg(answer == want, "%s op %u O=%u N=%u: %u, model %u",
					      mcr_phase_name(p), op, start.value[O], start.value[N],
					      answer, want);
				/* An add that memcached itself refuses deletes at N all the same:
				 * with an add at O that only drops a copy. */
				if (op == MCR_OP_ADD && want == 0 &&
				    (p == MCR_PREPARE || p == MCR_UNWIND))
					models.value[N] = 0;
				ck_assert_msg(memcmp(&ours, &models, sizeof(ours)) == 0,
					      "%s op %u O=%u N=%u: left %u %u, model %u %u",
					      mcr_phase_name(p), op, start.value[O], start.value[N],
					      ours.value[O], ours.value[N], models.value[O],
					      models.value[N]);
			}
}
END_TEST

START_TEST(no_plan_shows_a_reservation)
{
	for (uint32_t p = MCR_COPY; p <= MCR_GIVEUP; p++) {
		struct world w = {{0, STUB}};
		struct mcr_plan plan;

		plan_fill(p, MCR_OP_GET, O, N, &plan);
		ck_assert_uint_eq(plan_execute(&plan, &w, 9), 0);
		plan_fill(p, MCR_OP_ADD, O, N, &plan);
		ck_assert_uint_eq(plan_execute(&plan, &w, 9), 9);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shmlib/plan");
	TCase *tests = tcase_create("plan");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, every_plan_is_the_tables_cell);
	tcase_add_test(tests, a_key_that_stays_is_steady_in_every_phase);
	tcase_add_test(tests, steps_that_are_not_there_are_zero);
	tcase_add_test(tests, cas_tokens_belong_to_the_server_that_is_written);
	tcase_add_test(tests, plans_do_what_the_model_does);
	tcase_add_test(tests, no_plan_shows_a_reservation);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
