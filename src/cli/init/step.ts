/** One file of a plan, and the action for it. */

export interface Step {
  /** Relative to the folder, with slashes. */
  readonly path: string
  /**
   * `create`: the file does not exist · `append`: lines are added at its end · `same`: it has the content that `init` would write · `keep`:
   * it has other content and stays as it is.
   */
  readonly action: 'create' | 'append' | 'same' | 'keep'
  /** Text to write. With `keep`: what the file lacks, or nothing. */
  readonly text: string
  /** Names of settings, if `text` contains a secret and must not be shown. */
  readonly settings?: readonly string[]
  /** Names of settings that `text` contains as comments, without a value. */
  readonly placeholders?: readonly string[]
}
