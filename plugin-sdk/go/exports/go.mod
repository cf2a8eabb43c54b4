module wit_component/export_berth_node_nodes

go 1.25
