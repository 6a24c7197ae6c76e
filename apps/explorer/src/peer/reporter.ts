/** Least time between two reports in ms. */
const pause = 100

/** Reports changes one after the other, however fast they come: the last one always, those in between together. */
export class Reporter {
  readonly #report: () => Promise<void>
  #pending = false
  #running: Promise<void> | undefined
  #stopped = false
  #wake = (): void => {}

  constructor(report: () => Promise<void>) {
    this.#report = report
  }

  changed(): void {
    this.#pending = true
    if (!this.#stopped) this.#running ??= this.#run()
  }

  /** Resolves when no report is under way, and none follows. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake()
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#pending && !this.#stopped) {
      this.#pending = false
      await this.#report().catch(reportError)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        setTimeout(resolve, pause)
      })
    }
    this.#running = undefined
  }
}
