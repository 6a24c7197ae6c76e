import type { JSX } from 'preact'
import { labelOf } from '../../data/names.ts'
import { nodes } from '../../data/nodes.ts'

/** The heads of a table that has a column for each node. */
export function NodeColumns(): JSX.Element {
  return (
    <>
      {nodes.value.map(({ name }) => (
        <th key={name} scope="col">
          {labelOf(name)}
        </th>
      ))}
    </>
  )
}
