// Says what pictures show: `example boot.pgm bag.pgm`, 28×28 grey ones, light on black.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fashion.h"

enum { THREADS = 4, CALLS = 100 };

static void stop(const char *what, const char *why) {
    fprintf(stderr, "error: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static void check(const char *what, FashionStatus status) {
    if (status != FASHION_STATUS_OK) {
        stop(what, fashion_status_text(status));
    }
}

// Reads a binary PGM file, whose header is `P5 28 28 255`.
static void read_picture(const char *path, uint8_t *pixels) {
    FILE *file = fopen(path, "rb");
    unsigned width = 0, height = 0, most = 0;
    if (file == NULL) {
        stop(path, "cannot be opened");
    }
    if (fscanf(file, "P5 %u %u %u", &width, &height, &most) != 3 || fgetc(file) == EOF || width != 28
        || height != 28 || most != 255 || fread(pixels, 1, FASHION_PIXELS, file) != FASHION_PIXELS) {
        stop(path, "is no binary PGM file of 28×28 pixels");
    }
    fclose(file);
}

static void print_likeliest(const char *path, const float *probabilities) {
    size_t likeliest = 0;
    for (size_t class = 1; class < fashion_class_count(); class++) {
        if (probabilities[class] > probabilities[likeliest]) {
            likeliest = class;
        }
    }
    printf("%s: %s %.6f\n", path, fashion_class_name(likeliest), probabilities[likeliest]);
}

struct work {
    const uint8_t *pixels;
    const float *expected;
    int same;
};

// What any thread finds in a picture is the same, to the last bit.
static void *predict_again(void *argument) {
    struct work *work = argument;
    work->same = 1;
    for (int call = 0; call < CALLS; call++) {
        float found[FASHION_CLASSES];
        FashionStatus status = fashion_predict(work->pixels, FASHION_PIXELS, found, FASHION_CLASSES);
        if (status != FASHION_STATUS_OK || memcmp(found, work->expected, sizeof found) != 0) {
            work->same = 0;
        }
    }
    return NULL;
}

int main(int count, char **paths) {
    if (count < 2) {
        stop("usage", "example PICTURE.pgm ...");
    }
    size_t images = (size_t)count - 1;
    uint8_t *pixels = malloc(images * FASHION_PIXELS);
    float *probabilities = malloc(images * FASHION_CLASSES * sizeof *probabilities);
    if (pixels == NULL || probabilities == NULL) {
        stop("memory", "there is too little");
    }
    for (size_t i = 0; i < images; i++) {
        read_picture(paths[1 + i], pixels + i * FASHION_PIXELS);
    }

    // All at once, on all cores.
    check("batch", fashion_predict_batch(pixels, images * FASHION_PIXELS, images, probabilities,
                                         images * FASHION_CLASSES));
    for (size_t i = 0; i < images; i++) {
        print_likeliest(paths[1 + i], probabilities + i * FASHION_CLASSES);
    }

    // One at a time, on threads of the program.
    check("one image", fashion_predict(pixels, FASHION_PIXELS, probabilities, FASHION_CLASSES));
    pthread_t threads[THREADS];
    struct work works[THREADS];
    for (int i = 0; i < THREADS; i++) {
        works[i] = (struct work){pixels, probabilities, 0};
        if (pthread_create(&threads[i], NULL, predict_again, &works[i]) != 0) {
            stop("thread", "cannot be started");
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        if (!works[i].same) {
            stop("thread", "found something else");
        }
    }
    printf("%d threads agree, library %s\n", THREADS, fashion_version());

    free(pixels);
    free(probabilities);
    return EXIT_SUCCESS;
}
