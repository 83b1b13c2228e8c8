/** Types of next-project.mjs, for the tests. */
export declare function nextEnvironment(env?: Readonly<Record<string, string>>): NodeJS.ProcessEnv

export declare function filesOfPage(page: string): readonly { readonly file: string; readonly code: string }[]
