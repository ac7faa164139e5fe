// Reads torch.save files (the zip format of torch 1.6 and later) safely and lazily: no code runs, tensors stay on disk.
import { type ByteSource, fileSource, memorySource } from "./byte-source.ts";
import { ArtifactError } from "./errors.ts";
import { type Dtype, itemSizeBytes } from "./ndarray.ts";
import { numpyGlobals } from "./pickle-numpy.ts";
import { parsePickle, type PickleGlobal } from "./pickle.ts";
import { TorchTensor } from "./torch-tensor.ts";
import { readZipDirectory, readZipMember, type ZipMember, zipMemberSource } from "./zip.ts";

/** The dtype of each storage class; bfloat16 and quantized storages have no typed array. */
const storageDtypes: Record<string, Dtype> = {
  BoolStorage: "bool",
  ByteStorage: "uint8",
  CharStorage: "int8",
  ShortStorage: "int16",
  IntStorage: "int32",
  LongStorage: "int64",
  HalfStorage: "float16",
  FloatStorage: "float32",
  DoubleStorage: "float64",
};

interface Storage {
  source: ByteSource;
  dtype: Dtype;
}

/** A storage class in the pickle: data only, it cannot be called. */
class StorageClass implements PickleGlobal {
  readonly call = undefined;
  constructor(readonly dtype: Dtype) {}
}

const rebuildTensor: PickleGlobal = {
  call([storage, offset, shape, strides]) {
    if (!isStorage(storage) || !isCounts([offset]) || !isCounts(shape) || !isCounts(strides)) {
      throw new ArtifactError("bad-torch", "torch file: a tensor has arguments this reader does not know.");
    }
    if (shape.length !== strides.length) throw new ArtifactError("bad-torch", "torch file: shape and strides differ.");
    return new TorchTensor(storage.source, storage.dtype, { offset: offset as number, shape, strides });
  },
};

function isStorage(value: unknown): value is Storage {
  return typeof value === "object" && value !== null && "source" in value && "dtype" in value;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** A state dict carries `_metadata` as an attribute; the versions in it are of no use here. */
const orderedDict: PickleGlobal = {
  call([items]) {
    return new Map(items as [unknown, unknown][] | undefined);
  },
  setState() {},
};

const firstArgument: PickleGlobal = { call: ([value]) => value };

/** Every Python name that a torch file may use here. */
const torchGlobals: ReadonlyMap<string, PickleGlobal> = new Map([
  ...numpyGlobals,
  ...Object.entries(storageDtypes).map(([name, dtype]): [string, PickleGlobal] => {
    return [`torch ${name}`, new StorageClass(dtype)];
  }),
  ["torch._utils _rebuild_tensor_v2", rebuildTensor],
  ["torch._utils _rebuild_parameter", firstArgument],
  ["torch Size", firstArgument],
  ["collections OrderedDict", orderedDict],
]);

/** An open torch file; `close` it after the last tensor was read. */
export interface TorchFile {
  /** What was saved: a {@link TorchTensor}, a Map (dict, state dict) of them, or other plain data. */
  readonly root: unknown;
  close(): void;
  [Symbol.dispose](): void;
}

/** Opens a torch file; only its directory and its pickle are read, so multi-gigabyte files open at once. */
export function openTorch(path: string): TorchFile {
  const source = fileSource(path);
  try {
    return parseTorch(source);
  } catch (error) {
    source.close();
    throw error;
  }
}

/** {@link openTorch} for bytes in memory. */
export function decodeTorch(bytes: Uint8Array, label = "torch data"): TorchFile {
  return parseTorch(memorySource(bytes, label));
}

function parseTorch(source: ByteSource): TorchFile {
  checkZip(source);
  const members = readZipDirectory(source);
  const pickleName = [...members.keys()].find((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (!pickleName) {
    throw new ArtifactError("not-this-format", `${source.label}: is a zip file without data.pkl, not a torch file.`);
  }
  const prefix = pickleName.slice(0, -"data.pkl".length);
  if (members.has(`${prefix}constants.pkl`)) {
    throw new ArtifactError("not-this-format", `${source.label}: is a TorchScript program. Save its state_dict() instead.`);
  }
  const byteOrder = members.get(`${prefix}byteorder`);
  if (byteOrder && Buffer.from(readZipMember(source, byteOrder)).toString() !== "little") {
    throw new ArtifactError("big-endian", `${source.label}: was saved on a big-endian machine. Convert it there.`);
  }
  const root = parsePickle(readZipMember(source, members.get(pickleName) as ZipMember), {
    label: `${source.label}:${pickleName}`,
    globals: torchGlobals,
    persistentLoad: (id) => openStorage(source, members, prefix, id),
  });
  const close = () => source.close();
  return { root, close, [Symbol.dispose]: close };
}

/** Torch before 1.6 wrote bare pickles (protocol byte first) or tar files. */
function checkZip(source: ByteSource): void {
  const start = source.read(0, Math.min(4, source.sizeBytes));
  if (start[0] === 0x50 && start[1] === 0x4b) return;
  if (start[0] === 0x80) {
    throw new ArtifactError(
      "legacy-torch",
      `${source.label}: is a bare pickle or in the torch format from before 1.6, which cannot be read by range. ` +
        'Convert it where it can be trusted: python3 -c \'import torch; torch.save(torch.load("old.pt"), "new.pt")\'.',
    );
  }
  throw new ArtifactError("not-this-format", `${source.label}: is not a torch file (it is not a zip archive).`);
}

/** Resolves ("storage", class, key, device, element count) to the member that holds the elements. */
function openStorage(source: ByteSource, members: Map<string, ZipMember>, prefix: string, id: unknown): Storage {
  const [kind, storageClass, key, , count] = Array.isArray(id) ? id : [];
  const member = members.get(`${prefix}data/${String(key)}`);
  if (kind !== "storage" || !(storageClass instanceof StorageClass) || !member) {
    throw new ArtifactError("bad-torch", `${source.label}: refers to a storage that is not in the file.`);
  }
  const wantedSizeBytes = Number(count) * itemSizeBytes(storageClass.dtype);
  if (member.sizeBytes !== wantedSizeBytes) {
    throw new ArtifactError(
      "bad-torch",
      `${source.label}: storage ${String(key)} has ${member.sizeBytes} bytes, wanted ${wantedSizeBytes}.`,
    );
  }
  return { source: zipMemberSource(source, member), dtype: storageClass.dtype };
}
