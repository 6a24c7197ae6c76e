// Writes the table of install sizes in README. Builds what was not built.
import { replacePart } from './part.ts'
import { costs, sizesEnd, sizesStart, sizesTable } from './sizes.ts'

replacePart('README.md', sizesStart, sizesEnd, sizesTable(await costs()))
