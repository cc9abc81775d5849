/**
 * Other libraries' forms of the benchmarks' work, each in the best form that could be found for it.
 * They run in processes of their own and are no part of the product.
 */
@NullMarked
package dev.tessera.benchmarks.peers;

import org.jspecify.annotations.NullMarked;
