/* Compiled and run in the system: floating point, a thread, a signal. */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t seen;

static void handler(int number) { seen = number; }

static void *thread(void *argument)
{
    raise(SIGUSR1);
    return argument;
}

int main(void)
{
    pthread_t other;
    signal(SIGUSR1, handler);
    pthread_create(&other, NULL, thread, NULL);
    pthread_join(other, NULL);
    printf("hello %d %.6f\n", seen == SIGUSR1, sqrt(2.0) + sin(1.0));
    return 0;
}
