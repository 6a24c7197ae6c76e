import type { ComponentChildren, JSX } from 'preact'

/** A name and its value in a `dl`. */
export function Item({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
