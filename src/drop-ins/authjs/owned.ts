/** Finds Auth.js documents of a user, one by one and through the user's set. */
import type { DocumentRef } from '../../documents/document-driver.ts'
import type { Documents } from '../../documents/documents.ts'
import { readMembers } from '../../documents/set-members.ts'
import { fromStored, type StoredDates } from '../dated-json.ts'
import type { AuthJsAccount } from './types.ts'

/** The set of documents of one kind that belong to the user. */
export function ownedBy(documents: Documents<StoredDates>, userId: string): DocumentRef {
  return documents.refOf(`user ${userId}`)
}

/** Returns the address of the document of an account. */
export function accountRefOf(
  accounts: Documents<StoredDates>,
  { provider, providerAccountId }: Pick<AuthJsAccount, 'provider' | 'providerAccountId'>,
): DocumentRef {
  return accounts.refOf(JSON.stringify([provider, providerAccountId]))
}

export async function readAs<T extends object>(documents: Documents<StoredDates>, ref: DocumentRef): Promise<T | null> {
  const stored = await documents.read(ref)
  return stored && fromStored<T>(stored.value)
}

/** Returns the documents that exist and name the user. A set may contain names of deleted documents. */
export async function listOwned<T extends object>(documents: Documents<StoredDates>, userId: string): Promise<T[]> {
  const members = await readMembers(documents, ownedBy(documents, userId))
  return members.flatMap(({ value }) => (value?.['userId'] === userId ? [fromStored<T>(value)] : []))
}
