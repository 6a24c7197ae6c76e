import { routes } from '../../src/routes.ts'

export default routes('decisions')
