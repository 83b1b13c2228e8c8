/** Steps of the fixture application that the codemod marks, by target, with the codes of their marks. All other steps must be rewritten. */
export const EXPECTED_MARKS: Readonly<Record<5 | 6, Readonly<Record<string, string>>>> = { 5: {}, 6: {} }
