/** Steps of the fixture applications that the codemod marks, with the codes of their marks. All other steps must be rewritten. */
export const EXPECTED_MARKS: Readonly<Record<string, string>> = {
  'cache: multiInsideAPipelineInCommonJs': 'chain-member',
  'classes: acceptsClusterOrRedis': 'class-as-value',
  'classes: usesAPick': 'partial-client client-as-interface',
  'classes: usesASubclass': 'subclass',
  'construction: fromOptions': 'auto-resubscribe',
  'construction: readsItsOptions': 'client-property',
  'construction: withStringNumbers': 'string-numbers',
  'dynamic: appliesArguments': 'method-as-value',
  'dynamic: computesTheMethod': 'dynamic-member',
  'dynamic: mapsWithTheMethodItself': 'method-as-value client-as-any',
  'dynamic: storesAMethod': 'method-as-value',
  'dynamic: usesSendCommand': 'dynamic-import send-command',
  'errors: checksTheName': 'error-name',
  'imports: usesADynamicImport': 'dynamic-import',
  'imports: usesDerivedTypes': 'derived-type type',
  'pubsub: shardedChannels': 'event subscription',
  'queue: queueInAModule': 'class-as-value',
  'scripts: definesScriptsInTheOptions': 'client-as-interface',
  'server: monitors': 'monitor event',
  'transactions: discards': 'chain-member',
  'transactions: queuesWithoutAPipeline': 'inline-transaction',
}

/**
 * Steps that carry no mark and fail with an error that names the option: the codemod cannot see the value, and the generated code refuses
 * what it cannot keep.
 */
export const EXPECTED_REFUSALS: Readonly<Record<string, RegExp>> = {
  'construction: fromAUrlWithQuery': /write the option \\"enableReadyCheck\\" of the URL as an option of the code/,
}

/** The same for `src/topologies`. */
export const EXPECTED_MARKS_OF_TOPOLOGIES: Readonly<Record<string, string>> = {
  'cluster: countsNodes': 'cluster-nodes',
  'cluster: publishesThroughACluster': 'event subscription',
  'sentinel: connectsThroughSentinels': 'sentinels',
  'sentinel: readsFromAReplica': 'sentinels',
  'sentinel: runsAPipelineBehindSentinels': 'sentinels',
  'sentinel: selectsADatabaseBehindSentinels': 'sentinels',
}
