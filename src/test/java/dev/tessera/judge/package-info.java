/** Tests of classifiers and of judging by them. */
@NullMarked
package dev.tessera.judge;

import org.jspecify.annotations.NullMarked;
