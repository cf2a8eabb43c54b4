// A plugin that uses everything of the SDK once, for those who change it.

export * from "./functions";
export * from "./inputs";
export * from "./tensors";
export * from "./values";
