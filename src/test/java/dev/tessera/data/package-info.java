/** Tests of data sets, batches and random numbers. */
@NullMarked
package dev.tessera.data;

import org.jspecify.annotations.NullMarked;
