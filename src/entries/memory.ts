/** `coatcheck/memory`: the store in memory. */
import '../core/node-version.ts'

export * from '../stores/memory/memory-store.ts'
