/** Node resolves a package from the file that imports it, so this file must be here. */
export const load = (name) => import(name)
