/** Why an option cannot be had here, and what to do instead. */
export interface Refusal {
  readonly key: string
  readonly message: string
}
