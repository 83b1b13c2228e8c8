/** `coatcheck/memory`: the store in memory. */
export * from '../stores/memory/memory-store.ts'
