/** One file of a plan, and the action for it. */

export interface Step {
  /** Relative to the folder, with slashes. */
  readonly path: string
  /**
   * `create`: the file is not there · `append`: lines are added to its end · `same`: it is as `init` would write it ·
   * `keep`: it has other content and stays as it is.
   */
  readonly action: 'create' | 'append' | 'same' | 'keep'
  /** What is written. With `keep`: what the file lacks, or nothing. */
  readonly text: string
  /** Names of settings, where `text` holds a secret and must not be shown. */
  readonly settings?: readonly string[]
  /** Names of settings that `text` holds behind a comment sign, without a value. */
  readonly placeholders?: readonly string[]
}
