const longest = 128

/**
 * Turns texts into a bounded number of label values: the first `most` texts have their own label, all others share `other`.
 * A series is never given up for a new one. Otherwise strangers who make up names would fill the database that collects the
 * numbers.
 */
export class Labels {
  readonly #most: number
  readonly #known = new Map<string, string>()

  constructor(most: number) {
    this.#most = most
  }

  of(text: string): string {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    if (this.#known.size >= this.#most) return 'other'
    const label = text.length > longest ? `${text.slice(0, longest)}…` : text
    this.#known.set(text, label)
    return label
  }
}
