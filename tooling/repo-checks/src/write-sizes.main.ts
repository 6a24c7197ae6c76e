// Writes the table of install sizes into the README. Builds packages that are not built yet.
import { replacePart } from './part.ts'
import { costs, sizesEnd, sizesStart, sizesTable } from './sizes.ts'

replacePart('README.md', sizesStart, sizesEnd, sizesTable(await costs()))
