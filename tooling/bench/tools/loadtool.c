// Load for the benchmarks: servers, clients and a wide-area link, all on 127.0.0.1 (Linux, epoll). Servers print {"port":n}
// when they listen; clients print one line of JSON when they are done.
//
//   loadtool echo                                       sends back what it receives
//   loadtool source                                     sends without end to everybody who connects
//   loadtool link <to> <one-way ms> <kB/s> <queue ms>   a narrow, slow link in front of a port
//   loadtool roundtrip <port> <seconds> <gap us>        one byte there and back, again and again, on one connection
//   loadtool connect <port> <total> <concurrency>       connect, one byte there and back, close
//   loadtool idle <port> <connections> <seconds>        opens connections (one byte there and back) and holds them
//   loadtool slow <port> <connections> <bytes/s> <seconds>  reads each connection slowly
//   loadtool flood <port> <seconds>                     sends without end to an echo and reads what comes back
//
// With BENCH_SOCKS_TOKEN set, clients speak SOCKS5 first: method 0x80 with that token, then CONNECT to tcp.internal:1.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, COPY = 262144 };

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void fail(const char *what) {
  perror(what);
  exit(2);
}

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static void no_delay(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int dial(int port) {
  struct sockaddr_in address = loopback(port);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (void *)&address, sizeof address)) fail("connect");
  no_delay(fd);
  return fd;
}

// Listens on a port that the system chooses, and prints it. A receive buffer of 0 leaves the system's.
static int serve(int receive_buffer) {
  struct sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (receive_buffer) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  if (bind(fd, (void *)&address, sizeof address) || listen(fd, 4096)) fail("listen");
  getsockname(fd, (void *)&address, &length);
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

// Reads or writes all of it; -1 when the connection ends first.
static int whole(int fd, char *bytes, int count, int writing) {
  for (int done = 0; done < count;) {
    ssize_t n = writing ? write(fd, bytes + done, count - done) : read(fd, bytes + done, count - done);
    if (n <= 0) return -1;
    done += n;
  }
  return count;
}

// What a client says and how much it waits for in answer, before its bytes pass. Empty without SOCKS.
struct step {
  char *say;
  int length, answer;
};
static struct step opening[3];
static int openings;

static void prepare_socks(const char *token) {
  static char greeting[] = {5, 1, (char)0x80};
  static char request[] = "\5\1\0\3\14tcp.internal\0\1";
  int length = strlen(token);
  char *login = malloc(length + 6);
  login[0] = 1;
  uint32_t size = htonl(length);
  memcpy(login + 1, &size, 4);
  memcpy(login + 5, token, length);
  login[length + 5] = 0;  // the connector without location
  opening[0] = (struct step){greeting, sizeof greeting, 2};
  opening[1] = (struct step){login, length + 6, 2};
  opening[2] = (struct step){request, sizeof request - 1, 10};
  openings = 3;
}

static int connected(int port) {
  int fd = dial(port);
  char answer[16];
  for (int i = 0; i < openings; i++)
    if (whole(fd, opening[i].say, opening[i].length, 1) < 0 || whole(fd, answer, opening[i].answer, 0) < 0 || answer[1] & 0x7f) {
      fprintf(stderr, "the proxy refused step %d\n", i);
      exit(2);
    }
  return fd;
}

static int there_and_back(int fd) {
  char byte = 'x';
  return whole(fd, &byte, 1, 1) < 0 ? -1 : whole(fd, &byte, 1, 0);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// The times as percentiles, behind further members that the caller has written.
static void print_times(const char *members, double *us, int count) {
  if (count == 0) {
    printf("{%s\"count\":0}\n", members);
    return;
  }
  qsort(us, count, sizeof *us, ascending);
  printf("{%s\"count\":%d,\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}\n", members, count, us[count / 2], us[(int)(count * .99)], us[count - 1]);
}

// ---- echo: never blocks on one connection, so that a full one does not stand in front of the others ----

struct echoed {
  int fd, at, left;
  char *kept;  // what could not be sent back yet
};

static void echo_close(struct echoed *c) {
  close(c->fd);
  free(c->kept);
  free(c);
}

// Sends what is kept; 1 when all of it is gone, 0 when the connection is full, -1 when it is broken.
static int echo_flush(struct echoed *c) {
  while (c->left) {
    ssize_t n = send(c->fd, c->kept + c->at, c->left, MSG_DONTWAIT);
    if (n < 0) return errno == EAGAIN ? 0 : -1;
    c->at += n;
    c->left -= n;
  }
  free(c->kept);
  c->kept = 0;
  return 1;
}

static void echo_event(int ep, struct echoed *c) {
  static char copy[COPY];
  int state = c->left ? echo_flush(c) : 1;
  if (state == 1) {
    ssize_t n = recv(c->fd, copy, sizeof copy, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN)) state = -1;
    if (n > 0) {
      ssize_t sent = send(c->fd, copy, n, MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN) state = -1;
      if (sent < 0) sent = 0;
      if (state == 1 && sent < n) {
        c->kept = malloc(n - sent);
        memcpy(c->kept, copy + sent, n - sent);
        c->at = 0;
        c->left = n - sent;
      }
    }
  }
  if (state < 0) {
    echo_close(c);
    return;
  }
  struct epoll_event e = {.events = c->left ? EPOLLOUT : EPOLLIN, .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}

static int echo(void) {
  int listener = serve(0), ep = epoll_create1(0);
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = 0}, ready[EVENTS];
  epoll_ctl(ep, EPOLL_CTL_ADD, listener, &e);
  for (;;) {
    int n = epoll_wait(ep, ready, EVENTS, -1);
    for (int i = 0; i < n; i++) {
      if (ready[i].data.ptr) {
        echo_event(ep, ready[i].data.ptr);
        continue;
      }
      int fd = accept(listener, 0, 0);
      if (fd < 0) continue;
      no_delay(fd);
      struct echoed *c = calloc(1, sizeof *c);
      c->fd = fd;
      e.data.ptr = c;
      e.events = EPOLLIN;
      epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
    }
  }
  return 0;
}

static int source(void) {
  static char bytes[65536];
  int listener = serve(0), fd;
  signal(SIGCHLD, SIG_IGN);
  while ((fd = accept(listener, 0, 0)) >= 0) {
    if (fork() == 0) {
      while (write(fd, bytes, sizeof bytes) > 0) continue;
      _exit(0);
    }
    close(fd);
  }
  return 0;
}

// ---- clients ----

static int roundtrip(int port, double seconds, int gap_us) {
  int fd = connected(port), count = 0, room = 1000000;
  double *us = malloc(sizeof *us * room), end = now_us() + seconds * 1e6;
  for (int warm = 0; warm < 10; warm++)
    if (there_and_back(fd) < 0) return 2;
  while (count < room && now_us() < end) {
    double start = now_us();
    if (there_and_back(fd) < 0) return 2;
    us[count++] = now_us() - start;
    if (gap_us) usleep(gap_us);
  }
  print_times("", us, count);
  return 0;
}

struct attempt {
  int fd, step, got, writing;
  double start;
};

static void begin(int ep, struct attempt *a, struct sockaddr_in *address) {
  *a = (struct attempt){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), .writing = 1, .start = now_us()};
  no_delay(a->fd);
  connect(a->fd, (void *)address, sizeof *address);
  struct epoll_event e = {.events = EPOLLOUT, .data.ptr = a};
  epoll_ctl(ep, EPOLL_CTL_ADD, a->fd, &e);
}

// One event of an attempt: 0 while it goes on, 1 when the byte is back, -1 when it has failed.
static int advance(int ep, struct attempt *a) {
  static struct step byte = {"x", 1, 1};
  struct step *step = a->step < openings ? &opening[a->step] : &byte;
  if (a->writing) {
    if (write(a->fd, step->say, step->length) != step->length) return -1;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = a};
    epoll_ctl(ep, EPOLL_CTL_MOD, a->fd, &e);
    a->writing = a->got = 0;
    return 0;
  }
  char answer[16];
  ssize_t n = read(a->fd, answer, step->answer - a->got);
  if (n <= 0) return -1;
  a->got += n;
  if (a->got < step->answer) return 0;
  if (step == &byte) return 1;
  a->step++;
  a->writing = 1;
  return advance(ep, a);
}

static int connect_rate(int port, int total, int concurrency) {
  struct sockaddr_in address = loopback(port);
  int ep = epoll_create1(0), started = 0, done = 0, good = 0;
  struct attempt *attempts = calloc(concurrency, sizeof *attempts);
  struct epoll_event ready[EVENTS];
  double *us = malloc(sizeof *us * total), start = now_us();
  for (; started < concurrency && started < total; started++) begin(ep, &attempts[started], &address);
  while (done < total) {
    int n = epoll_wait(ep, ready, EVENTS, 10000);
    if (n == 0) break;
    for (int i = 0; i < n; i++) {
      struct attempt *a = ready[i].data.ptr;
      int state = advance(ep, a);
      if (state == 0) continue;
      if (state > 0) us[good++] = now_us() - a->start;
      close(a->fd);
      done++;
      if (started < total) {
        started++;
        begin(ep, a, &address);
      }
    }
  }
  char members[96];
  snprintf(members, sizeof members, "\"perSecond\":%.1f,\"errors\":%d,", good / ((now_us() - start) / 1e6), total - good);
  print_times(members, us, good);
  return 0;
}

static int idle(int port, int count, int seconds) {
  int open = 0;
  for (int i = 0; i < count; i++)
    if (there_and_back(connected(port)) > 0) open++;
  printf("{\"open\":%d}\n", open);
  fflush(stdout);
  sleep(seconds);
  return 0;
}

static int slow(int port, int count, int per_second, double seconds) {
  int *fds = malloc(sizeof *fds * count), piece = per_second / 10;
  char *bytes = malloc(piece);
  for (int i = 0; i < count; i++) fds[i] = connected(port);
  printf("{\"open\":%d}\n", count);
  fflush(stdout);
  for (double end = now_us() + seconds * 1e6; now_us() < end; usleep(100000))
    for (int i = 0; i < count; i++) (void)!recv(fds[i], bytes, piece, MSG_DONTWAIT);
  return 0;
}

static void *flood_out(void *argument) {
  static char bytes[65536];
  int fd = *(int *)argument;
  while (write(fd, bytes, sizeof bytes) > 0) continue;
  return 0;
}

static int flood(int port, double seconds) {
  static char bytes[COPY];
  int fd = connected(port);
  double total = 0, start = now_us(), end = start + seconds * 1e6;
  pthread_t writer;
  pthread_create(&writer, 0, flood_out, &fd);
  while (now_us() < end) {
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n <= 0) return 2;
    total += n;
  }
  printf("{\"megabytesPerSecond\":%.2f}\n", total / (now_us() - start));
  return 0;
}

// ---- link: every piece is due when the bottleneck, shared by all connections of a direction, has passed it on, plus the delay ----

enum { PIECE = 4096, PIECES = 16384 };
struct piece {
  double due_us;
  int length;
  char bytes[PIECE];
};
struct direction {
  int from, to, way;
  struct piece *ring;
  int head, tail;
  pthread_mutex_t mutex;
  pthread_cond_t moved;
};
static struct {
  double free_at_us;
  pthread_mutex_t mutex;
} bottleneck[2] = {{0, PTHREAD_MUTEX_INITIALIZER}, {0, PTHREAD_MUTEX_INITIALIZER}};
static double link_delay_us, link_bytes_per_us, link_queue_us;

static void sleep_until(double us) {
  double left = us - now_us();
  if (left > 0) usleep((useconds_t)left);
}

static void *link_deliver(void *argument) {
  struct direction *d = argument;
  for (;;) {
    pthread_mutex_lock(&d->mutex);
    while (d->head == d->tail) pthread_cond_wait(&d->moved, &d->mutex);
    struct piece *p = &d->ring[d->head % PIECES];
    pthread_mutex_unlock(&d->mutex);
    sleep_until(p->due_us);
    if (p->length == 0) {
      shutdown(d->to, SHUT_WR);
      return 0;
    }
    if (whole(d->to, p->bytes, p->length, 1) < 0) {
      shutdown(d->from, SHUT_RDWR);
      return 0;
    }
    pthread_mutex_lock(&d->mutex);
    d->head++;
    pthread_cond_signal(&d->moved);
    pthread_mutex_unlock(&d->mutex);
  }
}

static void *link_take(void *argument) {
  struct direction *d = argument;
  for (;;) {
    pthread_mutex_lock(&d->mutex);
    while (d->tail - d->head >= PIECES) pthread_cond_wait(&d->moved, &d->mutex);
    struct piece *p = &d->ring[d->tail % PIECES];
    pthread_mutex_unlock(&d->mutex);
    ssize_t n = read(d->from, p->bytes, PIECE);
    p->length = n > 0 ? (int)n : 0;
    pthread_mutex_lock(&bottleneck[d->way].mutex);
    double now = now_us(), *free_at = &bottleneck[d->way].free_at_us;
    if (*free_at < now) *free_at = now;
    *free_at += p->length / link_bytes_per_us;
    double passed = *free_at;
    pthread_mutex_unlock(&bottleneck[d->way].mutex);
    p->due_us = passed + link_delay_us;
    pthread_mutex_lock(&d->mutex);
    d->tail++;
    pthread_cond_signal(&d->moved);
    pthread_mutex_unlock(&d->mutex);
    if (n <= 0) return 0;
    sleep_until(passed - link_queue_us);  // the queue in front of the bottleneck is full
  }
}

static int link_box(int to) {
  int small = 131072, listener = serve(small), near;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  while ((near = accept(listener, 0, 0)) >= 0) {
    struct sockaddr_in address = loopback(to);
    int far = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(far, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(far, (void *)&address, sizeof address)) {
      close(far);
      close(near);
      continue;
    }
    no_delay(near);
    no_delay(far);
    struct direction *both = calloc(2, sizeof *both);
    for (int way = 0; way < 2; way++) {
      struct direction *d = &both[way];
      *d = (struct direction){.from = way ? far : near, .to = way ? near : far, .way = way, .ring = malloc(sizeof(struct piece) * PIECES)};
      pthread_mutex_init(&d->mutex, 0);
      pthread_cond_init(&d->moved, 0);
      pthread_t thread;
      pthread_create(&thread, &attributes, link_take, d);
      pthread_create(&thread, &attributes, link_deliver, d);
    }
  }
  return 0;
}

int main(int count, char **word) {
  signal(SIGPIPE, SIG_IGN);
  const char *mode = count > 1 ? word[1] : "";
  double number[4] = {0};
  if (getenv("BENCH_SOCKS_TOKEN")) prepare_socks(getenv("BENCH_SOCKS_TOKEN"));
  for (int i = 0; i < 4 && i + 2 < count; i++) number[i] = atof(word[i + 2]);
  if (!strcmp(mode, "echo")) return echo();
  if (!strcmp(mode, "source")) return source();
  if (!strcmp(mode, "link") && count == 6) {
    link_delay_us = number[1] * 1000;
    link_bytes_per_us = number[2] / 1000;
    link_queue_us = number[3] * 1000;
    return link_box(number[0]);
  }
  if (!strcmp(mode, "roundtrip") && count == 5) return roundtrip(number[0], number[1], number[2]);
  if (!strcmp(mode, "connect") && count == 5) return connect_rate(number[0], number[1], number[2]);
  if (!strcmp(mode, "idle") && count == 5) return idle(number[0], number[1], number[2]);
  if (!strcmp(mode, "slow") && count == 6) return slow(number[0], number[1], number[2], number[3]);
  if (!strcmp(mode, "flood") && count == 4) return flood(number[0], number[1]);
  fprintf(stderr, "usage: see the head of loadtool.c\n");
  return 2;
}
