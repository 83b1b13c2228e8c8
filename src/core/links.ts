/** URLs of the published documentation. This module builds all of them. */

/** The folder `docs/` of the repository that package.json names. A test compares them. */
export const DOCS_URL = 'https://github.com/coatcheck/coatcheck/blob/main/docs'

/** Returns the URL of the section about an error code. Each heading is a code, and its anchor is the code in lower case. */
export function errorPageUrl(code: string): string {
  return docsUrl('errors.md', code.toLowerCase())
}

/** @param page file below `docs/` @param anchor of a heading, as GitHub forms it */
export function docsUrl(page: string, anchor?: string): string {
  return anchor === undefined ? `${DOCS_URL}/${page}` : `${DOCS_URL}/${page}#${anchor}`
}
