/** Why an option is not available here, and what to do instead. */
export interface Refusal {
  readonly key: string
  readonly message: string
}
