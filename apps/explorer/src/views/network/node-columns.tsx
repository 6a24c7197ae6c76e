import type { JSX } from 'preact'
import { labelOf } from '../../data/names.ts'
import { nodes } from '../../data/nodes.ts'

/** The header cells of a table with a column per node. */
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
