import type { JSX } from 'preact'

export interface Outcome {
  readonly state: 'idle' | 'busy' | 'done' | 'failed'
  readonly text?: string | undefined
  /** How much is done, 0 to 1, where that is known. */
  readonly part?: number | undefined
}

/** What became of a write, also told to screen readers. */
export function OutcomeLine({ outcome: { state, text, part } }: { outcome: Outcome }): JSX.Element {
  return (
    <div class={`outcome ${state}`}>
      {part !== undefined && <progress value={part} max={1} aria-label="Progress" />}
      <p role={state === 'failed' ? 'alert' : 'status'}>{text ?? ''}</p>
    </div>
  )
}
