import type { ComponentChildren, JSX } from 'preact'

/** Content that may be wider than the screen. It scrolls separately, by keyboard too. */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={label}>
      {children}
    </div>
  )
}
