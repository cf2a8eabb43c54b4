// The generated bindings, without the compiler's advice on them.
#pragma clang diagnostic ignored "-Weverything"
#include "../../c/bindings/memory_node.c"

// Stands for the object file that would carry the contract: it goes into the component when it is made.
void __component_type_object_force_link_memory_node(void) {}
