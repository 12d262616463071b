/** Keys of sealed stores: slots, the ring, epochs, namespaces, writers; and the files and texts that people keep. */

export { forgetEpochs, rotate } from './epochs.ts';
export {
  exportSeed,
  formatIdentity,
  generateIdentity,
  IDENTITY_SEED_BYTES,
  Identity,
  importSeed,
  isIdentity,
  parseIdentity,
  readIdentity,
  type SeedEncoding,
  writeIdentity,
} from './identity.ts';
export { combineIdentity, splitIdentity } from './identity-shares.ts';
export { createKeyFile, formatKey, generateKey, KEY_BYTES, parseKey, readKeyFile } from './key-file.ts';
export {
  createKeyring,
  type EpochFacts,
  type Keyring,
  type NamespaceFacts,
  type WriterFacts,
  wipeKeyring,
  wipeRingSecrets,
} from './keyring.ts';
export { checkNamespaceName, DEFAULT_NAMESPACE, isNamespaceName } from './namespace-name.ts';
export { addNamespace, dropNamespace, setNamespaceQuota } from './namespaces.ts';
export {
  formatPublicIdentity,
  IDENTITY_ALGORITHMS,
  type IdentityAlgorithm,
  isIdentityAlgorithm,
  type PublicIdentity,
  parsePublicIdentity,
  parseRecipient,
  publicIdentity,
} from './public-identity.ts';
export {
  checkGuardedJournal,
  checkGuardedKeys,
  type GuardedKeys,
  type GuardState,
  guardedKeys,
  readGuard,
  writeGuard,
} from './rollback-guard.ts';
export { changeSettings, type KeyState } from './sealed-state.ts';
export { createSecretFile, parseSecretFile, type SecretFileOptions } from './secret-file.ts';
export { type KeySecret, type KeySource, type NewSlot, type OpenSecret, openSecret, wipeSecret } from './secrets.ts';
export {
  parseSignatureDocument,
  type SignatureFacts,
  signRoot,
  verifySignatureDocument,
} from './signature-document.ts';
export type { KeyContext } from './slot.ts';
export {
  addSlot,
  changePassphrase,
  createSealed,
  labelSlot,
  listSlots,
  removeSlot,
  type SlotContext,
  type SlotFacts,
} from './slots.ts';
export { isSameStore, unlock, unlockWith } from './unlock.ts';
export {
  checkWriterCredential,
  formatWriterCredential,
  parseWriterCredential,
  readWriterCredential,
  type WriterCredential,
  wipeWriterCredential,
  writeWriterCredential,
} from './writer-credential.ts';
export { addWriter, exportWriter, type NewWriter, removeWriter } from './writers.ts';
