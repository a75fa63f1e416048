// Tells clothes apart: 28×28 grey pictures, light on black, as in Fashion-MNIST.
//
// Any function may be called from any thread at any time. None keeps a pointer that it is given, and the
// texts that they return are there until the program ends.
//
// Written by `cargo test -p typenet-c-example --test header -- --ignored`.

#ifndef FASHION_H
#define FASHION_H

#include <stddef.h>
#include <stdint.h>

// Pixels of an image: 28 rows of 28.
#define FASHION_PIXELS 784

// Classes, and so probabilities of an image.
#define FASHION_CLASSES 10

// What came of a call. Where it is not 0, nothing was written, unless it says so.
enum FashionStatus
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // All went well.
  FASHION_STATUS_OK = 0,
  // A pointer is null.
  FASHION_STATUS_NULL = 1,
  // A length is not that of the images or of their probabilities.
  FASHION_STATUS_LENGTH = 2,
  // There are no images.
  FASHION_STATUS_NO_IMAGES = 3,
  // No memory could hold so many images.
  FASHION_STATUS_TOO_MANY = 4,
  // The pointer to the probabilities is none to a `float`: its address does not divide by 4.
  FASHION_STATUS_MISALIGNED = 5,
  // The pixels and the probabilities share memory.
  FASHION_STATUS_OVERLAP = 6,
  // A mistake in the library. Probabilities may be half written.
  FASHION_STATUS_INTERNAL = 7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum FashionStatus FashionStatus;
#else
typedef int32_t FashionStatus;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of this library, such as "0.1.0".
const char *fashion_version(void);

// The number of classes: `FASHION_CLASSES` of the library that runs.
size_t fashion_class_count(void);

// The name of a class, in UTF-8, or null where there is no such class.
const char *fashion_class_name(size_t index);

// What a status means, for people; of any number.
const char *fashion_status_text(int32_t status);

// Writes the probability of each class for one image, row after row of pixels, 0 for black to 255.
//
// `pixels_len` is `FASHION_PIXELS`, `probabilities_len` is `FASHION_CLASSES`.
//
// # Safety
// There are as many pixels to read and probabilities to write as the lengths say, and nobody else writes the
// pixels or touches the probabilities during the call.
FashionStatus fashion_predict(const uint8_t *pixels,
                              size_t pixels_len,
                              float *probabilities,
                              size_t probabilities_len);

// Writes the probability of each class for many images, one after the other. They run on all cores.
//
// `pixels_len` is `images * FASHION_PIXELS`, `probabilities_len` is `images * FASHION_CLASSES`. The last bits may
// differ from those that `fashion_predict` writes: one image has kernels of its own.
//
// # Safety
// As for `fashion_predict`.
FashionStatus fashion_predict_batch(const uint8_t *pixels,
                                    size_t pixels_len,
                                    size_t images,
                                    float *probabilities,
                                    size_t probabilities_len);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FASHION_H */
