/** A page with plots of what was measured. */
@NullMarked
package dev.tessera.benchmarks.page;

import org.jspecify.annotations.NullMarked;
