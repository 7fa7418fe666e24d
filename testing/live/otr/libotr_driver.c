/*
 * The peer that we did not write, without a network: libotr, driven by lines.
 *
 * One process holds any number of users. A command is one line of words on stdin; what it causes are lines on stdout,
 * and the last one is "done" or "failed WHY". Words that are text are hexadecimal, "-" is the empty text.
 *
 *   user NAME ACCOUNT          a user; the key is made at first need
 *   key NAME                   a key now
 *   load NAME FOLDER           otr.private_key, otr.fingerprints and otr.instance_tags, as far as they are there
 *   save NAME FOLDER           the same three; the key is a new one unless the file is there
 *   drop NAME                  forgets the user and everything that is not saved
 *   policy NAME BITS           OTRL_POLICY_*
 *   size NAME BYTES            the largest message, 0 for any
 *   clock SECONDS              moves libotr's clock ahead
 *   start NAME PEER            a query
 *   receive NAME PEER TEXT
 *   send NAME PEER TEXT [TAG]
 *   end NAME PEER [TAG]
 *   smp-start NAME PEER SECRET [TAG]
 *   smp-ask NAME PEER QUESTION SECRET [TAG]
 *   smp-answer NAME PEER SECRET [TAG]
 *   smp-abort NAME PEER [TAG]
 *   extra NAME PEER USE DATA [TAG]
 *   trust NAME PEER TEXT [TAG]
 *   list NAME                  context PEER STATE VERSION OUR-TAG THEIR-TAG FINGERPRINT TRUST
 *   bench WHAT COUNT           keygen, ake, one-way, ping-pong, smp: "times" in nanoseconds
 *
 * Events: inject, plain, private, secure, still-secure, insecure, fingerprint, smp, message, extra; each is followed by
 * the user's name and the peer.
 */

#include <errno.h>
#include <gcrypt.h>
#include <libotr/proto.h>
/* These two need what proto.h declares. */
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROTOCOL "prpl-jabber"
#define MAX_WORDS 8

struct user {
    struct user *next;
    char *name;
    char *account;
    OtrlUserState state;
    OtrlPolicy policy;
    int size;
};

/* What waits for the other user while a benchmark runs. */
struct letter {
    struct letter *next;
    struct user *from;
    char *text;
};

static struct user *users;
static int quiet; /* a benchmark runs */
static struct letter *first_letter, **last_letter = &first_letter;
static const char *bench_question_secret; /* answered at once while a benchmark runs */
static int bench_verified, bench_read;
static time_t ahead;

/* libotr asks this one, so that a test need not wait for a minute to pass. */
time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    time_t value = now.tv_sec + ahead;
    if (out) *out = value;
    return value;
}

static void *checked(void *memory) {
    if (!memory) abort();
    return memory;
}

static void put_hex(const void *data, size_t length) {
    const unsigned char *bytes = data;
    putchar(' ');
    if (length == 0) putchar('-');
    for (size_t i = 0; i < length; i++) printf("%02x", bytes[i]);
}

static void put_text(const char *text) { put_hex(text ? text : "", text ? strlen(text) : 0); }

static int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return 0;
}

/* Decodes in place; the result is shorter than the word. */
static size_t unhex(char *word) {
    size_t length = 0;
    if (strcmp(word, "-") == 0) {
        word[0] = 0;
        return 0;
    }
    for (char *at = word; at[0] && at[1]; at += 2) word[length++] = (char)(nibble(at[0]) << 4 | nibble(at[1]));
    word[length] = 0;
    return length;
}

static struct user *find(const char *name) {
    struct user *user = users;
    while (user && strcmp(user->name, name) != 0) user = user->next;
    return user;
}

static gcry_error_t make_key(struct user *user) {
    /* It is read back after it was written, so the file must keep it. */
    FILE *file = tmpfile();
    if (!file) return gcry_error_from_errno(errno);
    gcry_error_t error = otrl_privkey_generate_FILEp(user->state, file, user->account, PROTOCOL);
    fclose(file);
    return error;
}

/* What libotr asks of a program. */

static OtrlPolicy on_policy(void *data, ConnContext *context) {
    (void)context;
    return ((struct user *)data)->policy;
}

static void on_create_privkey(void *data, const char *account, const char *protocol) {
    (void)account, (void)protocol;
    make_key(data);
}

static int on_is_logged_in(void *data, const char *account, const char *protocol, const char *peer) {
    (void)data, (void)account, (void)protocol, (void)peer;
    return 1;
}

static void on_inject(void *data, const char *account, const char *protocol, const char *peer, const char *text) {
    struct user *user = data;
    (void)account, (void)protocol;
    if (quiet) {
        struct letter *letter = checked(calloc(1, sizeof *letter));
        letter->from = user;
        letter->text = checked(strdup(text));
        *last_letter = letter;
        last_letter = &letter->next;
        return;
    }
    printf("inject %s", user->name);
    put_text(peer);
    put_text(text);
    putchar('\n');
}

static void on_new_fingerprint(void *data, OtrlUserState state, const char *account, const char *protocol,
                               const char *peer, unsigned char fingerprint[20]) {
    (void)state, (void)account, (void)protocol;
    if (quiet) return;
    printf("fingerprint %s", ((struct user *)data)->name);
    put_text(peer);
    put_hex(fingerprint, 20);
    putchar('\n');
}

static void put_session(const char *event, void *data, ConnContext *context) {
    if (quiet) return;
    printf("%s %s", event, ((struct user *)data)->name);
    put_text(context->username);
    if (context->active_fingerprint) put_hex(context->active_fingerprint->fingerprint, 20);
    else put_hex("", 0);
    printf(" %u", context->protocol_version);
    put_hex(context->sessionid, context->sessionid_len);
    putchar('\n');
}

static void on_secure(void *data, ConnContext *context) { put_session("secure", data, context); }
static void on_insecure(void *data, ConnContext *context) { put_session("insecure", data, context); }
static void on_still_secure(void *data, ConnContext *context, int is_reply) {
    (void)is_reply;
    put_session("still-secure", data, context);
}

static int on_size(void *data, ConnContext *context) {
    (void)context;
    return ((struct user *)data)->size;
}

static void on_extra_key(void *data, ConnContext *context, unsigned use, const unsigned char *use_data, size_t length,
                         const unsigned char *key) {
    printf("extra %s", ((struct user *)data)->name);
    put_text(context->username);
    printf(" %u", use);
    put_hex(use_data, length);
    put_hex(key, OTRL_EXTRAKEY_BYTES);
    putchar('\n');
}

static const char *on_error_message(void *data, ConnContext *context, OtrlErrorCode code) {
    (void)data, (void)context;
    char words[32];
    snprintf(words, sizeof words, "error %d", (int)code);
    return checked(strdup(words));
}

static void on_error_message_free(void *data, const char *words) {
    (void)data;
    free((char *)words);
}

static const struct s_OtrlMessageAppOps ops;

static void on_smp(void *data, OtrlSMPEvent event, ConnContext *context, unsigned short percent, char *question) {
    struct user *user = data;
    if (quiet) {
        if (event == OTRL_SMPEVENT_ASK_FOR_SECRET)
            otrl_message_respond_smp(user->state, &ops, user, context, (const unsigned char *)bench_question_secret,
                                     strlen(bench_question_secret));
        if (event == OTRL_SMPEVENT_SUCCESS) bench_verified++;
        return;
    }
    printf("smp %s", user->name);
    put_text(context->username);
    printf(" %d %u", (int)event, percent);
    put_text(question);
    putchar('\n');
    /* The header asks for this. */
    if (event == OTRL_SMPEVENT_CHEATED || event == OTRL_SMPEVENT_ERROR)
        otrl_message_abort_smp(user->state, &ops, user, context);
}

static void on_message(void *data, OtrlMessageEvent event, ConnContext *context, const char *text, gcry_error_t error) {
    (void)error;
    if (quiet) return;
    printf("message %s", ((struct user *)data)->name);
    put_text(context ? context->username : "");
    printf(" %d", (int)event);
    put_text(text);
    putchar('\n');
}

static void on_create_instag(void *data, const char *account, const char *protocol) {
    struct user *user = data;
    FILE *file = tmpfile();
    if (!file) return;
    otrl_instag_generate_FILEp(user->state, file, account, protocol);
    fclose(file);
}

static const struct s_OtrlMessageAppOps ops = {
    .policy = on_policy,
    .create_privkey = on_create_privkey,
    .is_logged_in = on_is_logged_in,
    .inject_message = on_inject,
    .new_fingerprint = on_new_fingerprint,
    .gone_secure = on_secure,
    .gone_insecure = on_insecure,
    .still_secure = on_still_secure,
    .max_message_size = on_size,
    .received_symkey = on_extra_key,
    .otr_error_message = on_error_message,
    .otr_error_message_free = on_error_message_free,
    .handle_smp_event = on_smp,
    .handle_msg_event = on_message,
    .create_instag = on_create_instag,
};

/* Commands. */

static void receive(struct user *user, const char *peer, const char *text) {
    char *read = NULL;
    OtrlTLV *tlvs = NULL;
    ConnContext *context = NULL;
    OtrlMessageType type = otrl_proto_message_type(text);
    int internal = otrl_message_receiving(user->state, &ops, user, user->account, PROTOCOL, peer, text, &read, &tlvs,
                                          &context, NULL, NULL);
    if (otrl_tlv_find(tlvs, OTRL_TLV_DISCONNECTED) && !quiet) put_session("insecure", user, context);
    if (!internal && quiet) bench_read++;
    if (!internal && !quiet) {
        int clear = type == OTRL_MSGTYPE_NOTOTR || type == OTRL_MSGTYPE_TAGGEDPLAINTEXT;
        printf("%s %s", clear ? "plain" : "private", user->name);
        put_text(peer);
        put_text(read ? read : text);
        putchar('\n');
    }
    otrl_tlv_free(tlvs);
    otrl_message_free(read);
}

static gcry_error_t sending(struct user *user, const char *peer, const char *text, otrl_instag_t tag) {
    char *instead = NULL;
    ConnContext *context = NULL;
    gcry_error_t error = otrl_message_sending(user->state, &ops, user, user->account, PROTOCOL, peer, tag, text, NULL,
                                              &instead, OTRL_FRAGMENT_SEND_ALL, &context, NULL, NULL);
    otrl_message_free(instead);
    return error;
}

static void query(struct user *user, const char *peer) {
    char *text = otrl_proto_default_query_msg(user->account, user->policy);
    on_inject(user, user->account, PROTOCOL, peer, text);
    free(text);
}

static void list(struct user *user) {
    static const char *states[] = {"plaintext", "encrypted", "finished"};
    for (ConnContext *context = user->state->context_root; context; context = context->next) {
        Fingerprint *active = context->active_fingerprint;
        printf("context %s", user->name);
        put_text(context->username);
        printf(" %s %u %08x %08x", states[context->msgstate], context->protocol_version, context->our_instance,
               context->their_instance);
        put_hex(active ? active->fingerprint : (unsigned char *)"", active ? 20 : 0);
        put_text(active ? active->trust : "");
        putchar('\n');
    }
}

static gcry_error_t files(struct user *user, const char *folder, int save) {
    static const char *names[] = {"otr.private_key", "otr.fingerprints", "otr.instance_tags"};
    for (int i = 0; i < 3; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        gcry_error_t error = 0;
        if (save) {
            /* libotr writes keys only as it makes them. */
            if (i == 0 && access(path, F_OK) != 0)
                error = otrl_privkey_generate(user->state, path, user->account, PROTOCOL);
            if (i == 1) error = otrl_privkey_write_fingerprints(user->state, path);
            if (i == 2) error = otrl_instag_write(user->state, path);
        } else {
            FILE *there = fopen(path, "rb");
            if (!there) continue;
            fclose(there);
            if (i == 0) error = otrl_privkey_read(user->state, path);
            if (i == 1) error = otrl_privkey_read_fingerprints(user->state, path, NULL, NULL);
            if (i == 2) error = otrl_instag_read(user->state, path);
        }
        if (error) return error;
    }
    return 0;
}

/* Benchmarks: both sides in this process, what one injects the other receives. */

static struct user *new_user(const char *name, const char *account) {
    struct user *user = checked(calloc(1, sizeof *user));
    user->name = checked(strdup(name));
    user->account = checked(strdup(account));
    user->state = otrl_userstate_create();
    user->policy = OTRL_POLICY_MANUAL;
    return user;
}

static void free_user(struct user *user) {
    otrl_userstate_free(user->state);
    free(user->name);
    free(user->account);
    free(user);
}

static long long now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static void deliver(struct user *a, struct user *b) {
    while (first_letter) {
        struct letter *letter = first_letter;
        first_letter = letter->next;
        if (!first_letter) last_letter = &first_letter;
        receive(letter->from == a ? b : a, letter->from->account, letter->text);
        free(letter->text);
        free(letter);
    }
}

static ConnContext *session(struct user *user, const char *peer) {
    return otrl_context_find(user->state, peer, user->account, PROTOCOL, OTRL_INSTAG_BEST, 0, NULL, NULL, NULL);
}

static const char *bench(const char *what, long count) {
    static const char text[] = "The quick brown fox jumps over the lazy dog, and then it rests for a while.";
    struct user *a = new_user("bench-a", "a@bench.example"), *b = new_user("bench-b", "b@bench.example");
    const char *wrong = NULL;
    bench_question_secret = "the same secret";
    bench_verified = bench_read = 0;
    quiet = 1;
    int keygen = strcmp(what, "keygen") == 0, ake = strcmp(what, "ake") == 0, smp = strcmp(what, "smp") == 0;
    int back = strcmp(what, "ping-pong") == 0;
    if (!keygen) {
        make_key(a);
        make_key(b);
        query(a, b->account);
        deliver(a, b);
    }
    printf("times");
    for (long i = 0; i < count; i++) {
        if (ake) {
            otrl_message_disconnect_all_instances(a->state, &ops, a, a->account, PROTOCOL, b->account);
            deliver(a, b);
            otrl_context_force_plaintext(session(b, a->account));
        }
        long long begun = now();
        if (keygen) {
            if (make_key(a)) wrong = "no key";
        } else if (ake) {
            query(a, b->account);
            deliver(a, b);
        } else if (smp) {
            otrl_message_initiate_smp(a->state, &ops, a, session(a, b->account),
                                      (const unsigned char *)bench_question_secret, strlen(bench_question_secret));
            deliver(a, b);
        } else {
            if (sending(a, b->account, text, OTRL_INSTAG_BEST)) wrong = "not sent";
            deliver(a, b);
            if (back && sending(b, a->account, text, OTRL_INSTAG_BEST)) wrong = "not sent";
            deliver(a, b);
        }
        printf(" %lld", now() - begun);
    }
    putchar('\n');
    quiet = 0;
    if (!keygen) {
        ConnContext *left = session(a, b->account), *right = session(b, a->account);
        if (!left || !right || left->msgstate != OTRL_MSGSTATE_ENCRYPTED || right->msgstate != OTRL_MSGSTATE_ENCRYPTED)
            wrong = "no session";
    }
    if (!keygen && !ake && !smp && bench_read != (back ? 2 : 1) * count) wrong = "not read";
    if (smp && bench_verified != 2 * count) wrong = "not verified";
    free_user(a);
    free_user(b);
    return wrong;
}

/* One command; what is returned is why it failed. */
static const char *command(char **word, int words) {
    const char *verb = word[0];
#define IS(name, least) (strcmp(verb, name) == 0 && words >= (least))
#define TAG(index) (words > (index) ? (otrl_instag_t)strtoul(word[index], NULL, 16) : OTRL_INSTAG_BEST)
    if (IS("bench", 3)) return bench(word[1], atol(word[2]));
    if (IS("clock", 2)) {
        ahead += atol(word[1]);
        return NULL;
    }
    if (IS("user", 3)) {
        if (find(word[1])) return "there is such a user";
        unhex(word[2]);
        struct user *user = new_user(word[1], word[2]);
        user->next = users;
        users = user;
        return NULL;
    }
    struct user *user = words > 1 ? find(word[1]) : NULL;
    if (!user) return "no such user";
    gcry_error_t error = 0;
    if (IS("key", 2)) {
        error = make_key(user);
        return error ? gcry_strerror(error) : NULL;
    }
    if (IS("list", 2)) {
        char fingerprint[OTRL_PRIVKEY_FPRINT_HUMAN_LEN] = "";
        otrl_privkey_fingerprint(user->state, fingerprint, user->account, PROTOCOL);
        printf("own %s", user->name);
        put_text(fingerprint);
        putchar('\n');
        list(user);
        return NULL;
    }
    if (IS("drop", 2)) {
        struct user **at = &users;
        while (*at != user) at = &(*at)->next;
        *at = user->next;
        free_user(user);
        return NULL;
    }
    if (IS("policy", 3)) {
        user->policy = (OtrlPolicy)atol(word[2]);
        return NULL;
    }
    if (IS("size", 3)) {
        user->size = atoi(word[2]);
        return NULL;
    }
    if (words < 3) return "words are missing";
    size_t length[MAX_WORDS] = {0};
    length[2] = unhex(word[2]);
    const char *peer = word[2];
    if (IS("load", 3) || IS("save", 3)) {
        error = files(user, peer, verb[0] == 's');
        return error ? gcry_strerror(error) : NULL;
    }
    if (IS("start", 3)) {
        query(user, peer);
        return NULL;
    }
    if (IS("end", 3)) {
        otrl_message_disconnect(user->state, &ops, user, user->account, PROTOCOL, peer, TAG(3));
        return NULL;
    }
    if (IS("receive", 4)) {
        unhex(word[3]);
        receive(user, peer, word[3]);
        return NULL;
    }
    if (IS("send", 4)) {
        unhex(word[3]);
        error = sending(user, peer, word[3], TAG(4));
        return error ? gcry_strerror(error) : NULL;
    }
    int at = IS("smp-abort", 3) ? 3 : IS("smp-ask", 5) || IS("extra", 5) ? 5 : 4;
    ConnContext *context = otrl_context_find(user->state, peer, user->account, PROTOCOL, TAG(at), 0, NULL, NULL, NULL);
    if (!context) return "no such context";
    if (IS("smp-abort", 3)) {
        otrl_message_abort_smp(user->state, &ops, user, context);
        return NULL;
    }
    if (words < 4) return "words are missing";
    if (IS("extra", 5)) {
        unsigned char key[OTRL_EXTRAKEY_BYTES];
        size_t size = unhex(word[4]);
        error = otrl_message_symkey(user->state, &ops, user, context, (unsigned)strtoul(word[3], NULL, 10),
                                    (unsigned char *)word[4], size, key);
        if (error) return gcry_strerror(error);
        printf("made %s", user->name);
        put_text(peer);
        put_hex(key, sizeof key);
        putchar('\n');
        return NULL;
    }
    length[3] = unhex(word[3]);
    if (IS("trust", 4)) {
        if (!context->active_fingerprint) return "no fingerprint";
        otrl_context_set_trust(context->active_fingerprint, word[3]);
        return NULL;
    }
    if (IS("smp-start", 4)) {
        otrl_message_initiate_smp(user->state, &ops, user, context, (unsigned char *)word[3], length[3]);
        return NULL;
    }
    if (IS("smp-answer", 4)) {
        otrl_message_respond_smp(user->state, &ops, user, context, (unsigned char *)word[3], length[3]);
        return NULL;
    }
    if (IS("smp-ask", 5)) {
        length[4] = unhex(word[4]);
        otrl_message_initiate_smp_q(user->state, &ops, user, context, word[3], (unsigned char *)word[4], length[4]);
        return NULL;
    }
    return "no such command";
}

int main(void) {
    char *line = NULL;
    size_t room = 0;
    OTRL_INIT;
    while (getline(&line, &room, stdin) > 0) {
        char *word[MAX_WORDS], *rest = NULL;
        int words = 0;
        for (char *at = strtok_r(line, " \n", &rest); at && words < MAX_WORDS; at = strtok_r(NULL, " \n", &rest))
            word[words++] = at;
        if (words == 0) continue;
        const char *wrong = command(word, words);
        if (wrong) printf("failed %s\n", wrong);
        else printf("done\n");
        fflush(stdout);
    }
    free(line);
    return 0;
}
