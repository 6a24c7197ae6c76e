/** The least time between two reports in ms. */
const pause = 100

/** Reports changes in sequence. When they come fast, several share a report, but the last one is always reported. */
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

  /** Resolves when no report is running, and none follows. */
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
