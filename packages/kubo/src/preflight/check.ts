export interface PreflightCheck {
  /** A stable name: `daemon`, `authorization`, `version`, `pubsub`, `routing`, `dht`, `storage`, `binary`, `repo`. */
  readonly name: string
  /** `fail`: it will not work. `warn`: it works, but not as well as it could. */
  readonly status: 'ok' | 'warn' | 'fail'
  readonly message: string
  /** What to run or change. */
  readonly fix?: string | undefined
}
